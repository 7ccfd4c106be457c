// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { ImageFile } from '../../../qemu/image/product-files.ts';
import { agentAnswers, journaled, json, reaches, report } from './ask-node.ts';
import { BOOT, QUICK, SCENARIO_MS } from './kind-of-node.ts';
import { FAILING_CHECK, onNode, type Scenario } from './scenario.ts';

/** A unit of the new image that does this to the data file system before the agent, or the record of the trial, is there. */
const early = (name: string, command: string): ImageFile[] => [
  {
    path: `/usr/lib/systemd/system/${name}.service`,
    content: [
      '[Unit]',
      'DefaultDependencies=no',
      'After=local-fs.target systemd-tmpfiles-setup.service',
      'Before=lamadist-trial.service lamadist-agent.service',
      '[Service]',
      'Type=oneshot',
      'RemainAfterExit=yes',
      `ExecStart=${command}`,
      '',
    ].join('\n'),
  },
  {
    path: '/usr/lib/systemd/system/sysinit.target.d/early.conf',
    content: `[Unit]\nWants=${name}.service\n`,
  },
];
/** Minutes would be long for a test, and are long enough for a real node. */
const SOON: ImageFile = {
  path: '/usr/lib/systemd/system/lamadist-commit-deadline.timer.d/soon.conf',
  content: '[Timer]\nOnBootSec=\nOnBootSec=20s\n',
};
const BACK = { version: '1', booted: 'A', slots: { A: expect.stringContaining('good primary'), B: expect.stringContaining('bad') } };

const leavesTheTrial = async ({ homelab, node, bundle }: Scenario) => {
  await homelab.lamactl(['install', '--no-wait', '--on-node', bundle]);
  await reaches(node, 'rolled-back', 'idle', 'failed');
  // A shutdown waits a minute and a half for a mount that will not go.
  await expect
    .poll(() => report(homelab).catch((error: Error) => error.message), { timeout: 2.5 * BOOT.timeoutMs, interval: 1_000 })
    .toMatchObject(BACK);
};

describe('a trial that cannot use its data', { timeout: 2 * SCENARIO_MS }, () => {
  it('is left when the data file system cannot be written to', () =>
    onNode(
      { files: [...early('read-only-data', '/bin/sh -c "mount --bind /var /var && mount -o remount,bind,ro /var"'), SOON] },
      leavesTheTrial,
    ));

  it('is left when the journal cannot be read and the new version is not healthy', () =>
    onNode(
      {
        files: [...early('broken-journal', '/bin/sh -c "echo nonsense >/var/lib/lamadist-agent/update.json"'), SOON, FAILING_CHECK],
      },
      leavesTheTrial,
    ));
});

describe('what was acknowledged', { timeout: SCENARIO_MS }, () => {
  it('is on the disk when the power is cut in that moment', () =>
    onNode({}, async ({ homelab, node, bundle }) => {
      const elsewhen = new Date(Date.now() + 5 * 3_600_000).toISOString().slice(11, 16);
      await homelab.lamactl(['install', '--window', `${elsewhen}-${elsewhen}`, '--on-node', bundle]);
      await node.cutPower();
      await node.start();
      await node.waitForBoot(BOOT);
      await agentAnswers(homelab);
      expect(await journaled(node)).toMatchObject({ phase: 'scheduled' });
      const { stdout } = await node.shell('cat /var/lib/lamadist-agent/audit*.log* /var/lib/lamadist-agent/audit/* 2>/dev/null', QUICK);
      expect(stdout).toContain('InstallBundle');
    }));
});

describe('a path that is no bundle', { timeout: SCENARIO_MS }, () => {
  it('is never opened by RAUC when it is a FIFO, a device or a folder', () =>
    // SELinux keeps the agent from the FIFO even before it looks at its kind.
    onNode({ ignoresDenials: true }, async ({ homelab, node, bundle }) => {
      await node.shell('mkfifo -m 644 /run/fifo.raucb && mkdir -p /run/folder.raucb', QUICK);
      for (const path of ['/run/fifo.raucb', '/dev/null', '/run/folder.raucb', '/run/missing.raucb']) {
        const { exitCode } = await homelab.lamactl(['inspect', path]);
        expect(exitCode, path).not.toBe(0);
        expect((await homelab.lamactl(['install', '--on-node', path])).exitCode, path).toBe(8);
      }
      const { nodes } = await json<{ nodes: { bundle: { version: string } }[] }>(homelab, 'inspect', bundle);
      expect(nodes[0]?.bundle.version).toBe('2');
    }));
});
