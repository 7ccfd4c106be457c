// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import {
  BOOT_STATUSES,
  OUTCOMES,
  PHASES,
  REACHABILITIES,
  REBOOT_POLICIES,
  SEVERITIES,
  VERDICTS,
} from '../../../../agent/lamactl/node/wire/wire-names.ts';
import { lamadist } from '../../../../agent/shared/gen/messages.js';

const { BootStatus, CheckOutcome, CheckSeverity, GateVerdict, Reachability, RebootPolicy, UpdatePhase } = lamadist.agent.v1;

describe('the names that lamactl prints', () => {
  it.each([
    ['UPDATE_PHASE', PHASES, UpdatePhase],
    ['REACHABILITY', REACHABILITIES, Reachability],
    ['BOOT_STATUS', BOOT_STATUSES, BootStatus],
    ['CHECK_OUTCOME', OUTCOMES, CheckOutcome],
    ['CHECK_SEVERITY', SEVERITIES, CheckSeverity],
    ['GATE_VERDICT', VERDICTS, GateVerdict],
    ['REBOOT_POLICY', REBOOT_POLICIES, RebootPolicy],
  ] as const)('are those of the protocol: %s', (prefix, names, values) => {
    const expected = names.map((name) => `${prefix}_${name === 'unknown' ? 'UNSPECIFIED' : name.toUpperCase().replaceAll('-', '_')}`);
    const numbered = Object.entries(values).filter(([, number]) => typeof number === 'number');
    expect(numbered.map(([name, number]) => [number, name]).sort()).toEqual(expected.map((name, number) => [number, name]).sort());
  });
});
