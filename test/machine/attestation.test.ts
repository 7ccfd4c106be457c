// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { agentAnswers, COMMITTED, report, shellOk } from '../integration/node/ask-node.ts';
import { believe, expectImage, FIRST_USE, judge } from '../integration/node/attested-node.ts';
import { denials } from '../integration/node/denials.ts';
import { BOOT, SCENARIO_MS } from '../integration/node/kind-of-node.ts';
import { onNode } from '../integration/node/scenario.ts';

const MEASURED = '/var/lib/measured';
/** Which the initramfs, whose programs are measured, does not have. */
const ON_ROOT = '/usr/bin/node';

describe('attestation of a machine whose firmware measures', { timeout: SCENARIO_MS }, () => {
  it('predicts a boot from the image alone, follows an update without a human, knows the image that a rollback leads to, and SELinux denies nothing', () =>
    onNode({ fresh: true }, async ({ homelab, node, bundle }) => {
      await believe(homelab);
      // A fresh disk starts through the loader of the removable path; every later boot is the firmware's own.
      const { ukis } = await homelab.bootFiles('1');
      expect((await homelab.lamactl(['attest', 'learn', '-n', 'attic', '--uki', ...ukis])).exitCode).toBe(0);
      expect(await judge(homelab)).toMatchObject({ verdict: 'REJECTED', reason: 'pcr-value', pcr: 4 });
      await expectImage(homelab, '1');
      expect(await judge(homelab)).toEqual({ node: 'attic', time: expect.any(String), ...FIRST_USE });

      const gate = ['--require-attestation', '--expect', homelab.bundlePath('2')];
      const { exitCode, all } = await homelab.lamactl(['install', '--on-node', bundle, ...gate]);
      expect({ exitCode, all }).toMatchObject({ exitCode: 0, all: expect.stringContaining('committed') });
      expect(await report(homelab)).toMatchObject(COMMITTED);
      expect(await judge(homelab)).toEqual({ node: 'attic', time: expect.any(String), ...FIRST_USE });

      expect((await homelab.lamactl(['rollback', '--message', 'it hums'])).exitCode).toBe(0);
      await node.waitForBoot(BOOT);
      await agentAnswers(homelab);
      expect(await report(homelab)).toMatchObject({ version: '1', booted: 'A' });
      expect(await judge(homelab)).toMatchObject({ ...FIRST_USE, image: 'previous' });
      const { all: table } = await homelab.lamactl(['attest', 'run']);
      expect(table).toContain('it runs the image before the last update');
      // All of it on one node, from its first boot on: install, reboot, gate, commit, rollback, attestation.
      expect(await denials(node)).toEqual([]);
      const journaledBoots = (await shellOk(node, 'journalctl --list-boots --quiet --no-pager')).trim().split('\n');
      expect(journaledBoots).toHaveLength(node.bootCount);
      expect(await shellOk(node, 'systemctl --failed --plain --no-legend')).toBe('');
      // IMA measures a program of the data; none of the root, which dm-verity proves; and no log, though root has read the journal by now.
      await shellOk(node, `cp /usr/bin/true ${MEASURED} && ${MEASURED}`);
      const found = await shellOk(
        node,
        `cut -d ' ' -f 5 /sys/kernel/security/ima/ascii_runtime_measurements | grep -Ex '${MEASURED}|${ON_ROOT}|/var/log/.*'`,
      );
      expect(found).toBe(`${MEASURED}\n`);
    }));
});
