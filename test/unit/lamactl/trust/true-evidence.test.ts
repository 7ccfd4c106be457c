// SPDX-License-Identifier: Apache-2.0
import { afterAll, describe, expect, it } from 'vitest';
import type { NodeConnection } from '../../../../agent/lamactl/node/node.ts';
import { trueEvidence } from '../../../../agent/lamactl/trust/true-evidence.ts';
import { GOOD_EVENTS, writeEventLog } from '../../../../qemu/measured-boot/measured-boot.ts';
import { type Forgery, forge } from '../../fakes/attest/forged-tpm.ts';
import { FakeWorld, worldCertificates } from '../fake-world.ts';
import { attesting } from '../forged-node.ts';

const { policy } = forge();
const certificates = worldCertificates();
afterAll(() => certificates.remove());
const world = new FakeWorld({}, certificates);
const ask = (forgery: Forgery, expected = policy) => trueEvidence(attesting(forgery) as NodeConnection, expected, world);

describe('what the TPM of a node says of its boot', () => {
  it('holds whatever is expected of it', async () => {
    const pcrs = { '4': { from: 'operator' as const, values: ['11'.repeat(32)] } };
    expect(await ask({}, { ...policy, pcrs })).toHaveProperty('event_log');
  });

  it('does not hold when a log lacks what the TPM was told', async () => {
    const forgery = { evidence: { event_log: writeEventLog(GOOD_EVENTS.slice(1)) } };
    expect(await ask(forgery)).toMatchObject({ reason: 'log-mismatch', pcr: 0 });
  });
});
