// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { NODE_TCTI } from '../../../qemu/namespace/tpm.ts';
import { Fleet } from './fleet.ts';
import { json, shellOk } from './scenario.ts';
import { ukiFile } from './uki-file.ts';

const MINUTES = 60_000;
const NAMES = ['attic', 'cellar'];
/** Of the exits of lamactl. */
const UPDATE_FAILED = 8;
const FIRST_USE = 14;

describe('a rollout whose nodes have to prove what they run', { timeout: 6 * MINUTES }, () => {
  it('goes on from those that do, and stops at one that does not', () =>
    Fleet.with(
      NAMES,
      () => ({}),
      async (fleet) => {
        const { homelab } = fleet;
        for (const command of [['enroll', '--accept-new'], ['learn']]) {
          expect((await homelab.lamactl(['attest', ...command, '--all'])).exitCode).toBe(FIRST_USE);
        }
        expect((await homelab.lamactl(['attest', 'learn', '--all', '--uki', await ukiFile(homelab, '1')])).exitCode).toBe(0);
        const spoil = `TPM2TOOLS_TCTI=${NODE_TCTI} tpm2_pcrextend 4:sha256=${'1'.repeat(64)}`;
        await shellOk(fleet.node('cellar'), spoil);

        const gates = ['--gate', 'health,attestation', '--expect', await ukiFile(homelab, '2')];
        const halted = await fleet.rollout('start', '--all', '--bundle', homelab.bundlePath('2'), '--waves', '1,rest', ...gates);
        expect(halted).toMatchObject({ exitCode: UPDATE_FAILED, all: expect.stringContaining('Cannot trust cellar before the update') });
        expect(await fleet.versions()).toEqual({ attic: '2', cellar: '1' });
        expect(await fleet.steps()).toEqual({ attic: 'done', cellar: 'failed' });
        expect(await verdicts(fleet)).toEqual({ attic: 'TRUSTED (first use)', cellar: 'REJECTED' });

        // A reboot measures everything anew: then it may have the version, too.
        expect((await homelab.lamactl(['reboot', '-n', 'cellar', '--wait'])).exitCode).toBe(0);
        const resumed = await fleet.rollout('resume', '--expect', await ukiFile(homelab, '2'));
        expect(resumed).toMatchObject({ exitCode: 0 });
        expect(await fleet.versions()).toEqual({ attic: '2', cellar: '2' });
        expect(await verdicts(fleet)).toEqual({ attic: 'TRUSTED (first use)', cellar: 'TRUSTED (first use)' });
      },
    ));
});

async function verdicts({ homelab }: Fleet): Promise<Readonly<Record<string, string>>> {
  const { nodes } = await json<{ nodes: { node: string; verdict: string }[] }>(homelab, 'attest', 'run', '--all');
  return Object.fromEntries(nodes.map(({ node, verdict }) => [node, verdict]));
}
