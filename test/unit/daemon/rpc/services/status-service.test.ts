// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { statusService } from '../../../../../agent/daemon/rpc/services/status-service.ts';
import type { UpdateState } from '../../../../../agent/daemon/update/life/state.ts';
import { lamadist } from '../../../../../agent/shared/gen/messages.js';
import { callUnary } from '../../../fakes/call.ts';
import { STATES } from '../../update/states.ts';

const { GateVerdict, UpdatePhase } = lamadist.agent.v1;

function statusOf(state: UpdateState) {
  const service = statusService({
    readDevice: async () => ({ hostname: 'attic' }),
    monitor: { health: { verdict: { type: 'passed', message: '' }, results: [], broken: [] } },
    updater: { state },
  });
  return callUnary(service.getStatus);
}

describe('the status of a node', () => {
  it('is what it is, how it fares, and where its update stands, in one answer', async () => {
    expect(await statusOf(STATES.installing)).toMatchObject({
      device: { hostname: 'attic' },
      health: { verdict: GateVerdict.GATE_VERDICT_PASSED, checks: [] },
      update: { phase: UpdatePhase.UPDATE_PHASE_INSTALLING },
    });
  });

  it('has no update where none was ever asked for', async () => {
    expect(await statusOf(STATES.idle)).not.toHaveProperty('update');
  });
});
