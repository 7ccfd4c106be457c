// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { UpdateState } from '../../agent/daemon/update/life/state.ts';
import { COMMITTED, journaled, report, shellOk } from '../integration/node/ask-node.ts';
import { SCENARIO_MS } from '../integration/node/kind-of-node.ts';
import { FAILING_CHECK, onNode, type Scenario, type Variant } from '../integration/node/scenario.ts';
import { IS_LONG_RUN } from './selection/machine-scenarios.ts';

/** In a unit's words. Systemd takes the old name of the device when it looks in the moment in which the kernel has made that one alone. */
const WATCHDOG_IS_OPEN =
  'until for file in /proc/1/fd/*; do [ $$file -ef /dev/watchdog0 ] || [ $$file -ef /dev/watchdog ] && break; done; do :; done';
/** Whether it runs, and for how long a shutdown may take. */
const WATCHDOG_NOW = 'cat /sys/class/watchdog/watchdog0/state; systemctl show --property=RebootWatchdogUSec';

interface Fault {
  readonly fault: string;
  /** A command of the initramfs, once another has ended well, and words of the command line that it needs. */
  readonly command: string;
  readonly once?: string;
  readonly words?: readonly string[];
  /** What the console has afterwards. */
  readonly seen: RegExp;
}

const FAULTS: readonly Fault[] = [
  {
    fault: 'its systemd hangs',
    command: 'kill -SEGV 1',
    once: WATCHDOG_IS_OPEN,
    words: ['systemd.crash_action=freeze'],
    seen: /Now its systemd hangs[\s\S]*── the watchdog bites/,
  },
  { fault: 'its kernel panics', command: 'echo c >/proc/sysrq-trigger', seen: /Now its kernel panics[\s\S]*Kernel panic - not syncing/ },
  // Systemd restarts the machine by itself here, which is the mildest of the three, and takes as long as they.
  ...(IS_LONG_RUN ? [{ fault: 'its systemd crashes', command: 'kill -SEGV 1', seen: /Now its systemd crashes/ }] : []),
];

/** Words of the command line with which the initramfs does that once it has its root's device, and the console says so before. */
function inInitramfs({ fault, command, once = 'true', words = [] }: Fault): string[] {
  const script = `${once}; echo "<2>Now ${fault}" >/dev/kmsg; ${command}`;
  const unit = `[Unit]\nDefaultDependencies=no\nAfter=initrd-root-device.target\nBefore=initrd.target\n[Service]\nType=oneshot\nExecStart=/bin/sh -c '${script}'\n`;
  const credential = `systemd.set_credential_binary=systemd.extra-unit.fault.service:${Buffer.from(unit).toString('base64')}`;
  return [credential, 'rd.systemd.wants=fault.service', ...words];
}

describe('one bad update after another', { timeout: 2 * SCENARIO_MS }, () => {
  /** Rolls back to version 1, and says why and what the slot held. */
  const isRolledBack = async ({ homelab, node }: Scenario, version: string, variant: Variant): Promise<UpdateState> => {
    const bundle = await node.deliver(await homelab.bundle(await homelab.image(version, variant)));
    const { exitCode, all } = await homelab.lamactl(['install', '--on-node', bundle]);
    expect({ version, exitCode, all }).toMatchObject({ exitCode: 9 });
    const slots = { A: 'good primary', B: `${version} ok bad` };
    expect(await report(homelab), version).toMatchObject({ version: '1', booted: 'A', slots });
    return journaled(node);
  };

  it('is rolled back each time, is remembered each time, and a good one is still committed', () =>
    onNode({}, async (scenario) => {
      const { homelab, node } = scenario;
      for (const [index, fault] of FAULTS.entries()) {
        const ended = await isRolledBack(scenario, `1.${index}`, { words: inInitramfs(fault) });
        expect({ fault, ended }).toMatchObject({ ended: { phase: 'rolled-back', reason: { code: 'NEVER_REACHED_USERSPACE' } } });
        expect(await node.consoleLog()).toMatch(fault.seen);
        // Of that boot, and of the one into the slot before.
        expect((await node.logs()).initramfs?.match(/ kernel: Linux version /g)).toHaveLength(2 * (index + 1));
      }
      expect((await node.logs()).initramfs).toContain('Now its systemd hangs');
      expect(await isRolledBack(scenario, '1.9', { files: [FAILING_CHECK] })).toMatchObject({
        phase: 'rolled-back',
        reason: { code: 'CHECK_FAILED', failedChecks: ['web-server'] },
        failedBootLog: expect.stringContaining('web-server'),
      });
      const { failedVersions } = JSON.parse(await node.readFile('/var/lib/lamadist-agent/update.json'));
      expect(failedVersions.map(({ version }: { version: string }) => version)).toEqual([...FAULTS.map((_, index) => `1.${index}`), '1.9']);

      const good = await node.deliver(homelab.bundlePath('2'));
      expect((await homelab.lamactl(['install', '--on-node', good])).exitCode).toBe(0);
      expect(await report(homelab)).toMatchObject(COMMITTED);
      expect(await shellOk(node, WATCHDOG_NOW)).toBe('active\nRebootWatchdogUSec=5min\n');
    }));
});
