// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { VirtualNode } from '../../../qemu/driver.ts';
import { COMMITTED, journaled, ROLLED_BACK, reaches, report, shellOk } from './ask-node.ts';
import { duringPhase, HELD_PHASES } from './held-phase.ts';
import { IN_VM, ROOT_SLOT, SCENARIO_MS } from './kind-of-node.ts';
import { check, FAILING_CHECK, onNode } from './scenario.ts';

const KILLED_BY_MAIN = 'systemctl kill --signal=KILL --kill-whom=main';
const killRauc = (node: VirtualNode) => shellOk(node, `${KILLED_BY_MAIN} rauc.service`);
const restartBus = (node: VirtualNode) => shellOk(node, 'systemctl restart dbus.service');
/** Has it write slowly enough to be caught at it. A machine is as slow as that by itself. */
const limitRauc = async (node: VirtualNode, limit: string): Promise<void> => {
  if (!IN_VM) await shellOk(node, `systemctl start rauc.service; systemctl set-property --runtime rauc.service ${limit}`);
};
const START_OF_B = `dd if=${ROOT_SLOT}b bs=1M count=4 status=none | cksum`;

/** What RAUC was writing is lost with it; every other phase begins its step again. */
const CUT_OFF = { version: '1', booted: 'A', slots: { A: 'good primary', B: expect.not.stringContaining('primary') } };

/** Looks only when the neighbour was ended. */
const LATE_CHECK = check(
  'late',
  'timeout: 60s',
  'retries: 0',
  'condition: { type: command, argv: [/bin/sh, -c, "sleep 4; systemctl is-active rauc.service dbus.service"] }',
);

describe.each([
  { neighbour: 'RAUC is killed', end: killRauc },
  { neighbour: 'the bus is restarted', end: restartBus },
])('when $neighbour', { timeout: SCENARIO_MS }, ({ end }) => {
  it.each(HELD_PHASES)('while $phase goes on, the update comes to its end', (held) =>
    onNode({ files: held.bad ? [FAILING_CHECK] : [] }, async (scenario) => {
      const { exitCode, all } = await duringPhase(scenario, held, () => end(scenario.node));
      if (held.phase === 'installing') {
        expect({ exitCode, all }).toMatchObject({ exitCode: 8, all: expect.stringContaining('INSTALL_INTERRUPTED') });
        expect(await report(scenario.homelab)).toMatchObject(CUT_OFF);
        // Nothing is in the way of the next attempt.
        expect((await scenario.homelab.lamactl(['install', '--on-node', scenario.bundle])).exitCode).toBe(0);
      } else {
        expect({ exitCode, all }).toMatchObject({ exitCode: held.bad ? 9 : 0 });
      }
      expect(await report(scenario.homelab)).toMatchObject(held.bad ? ROLLED_BACK : COMMITTED);
    }),
  );

  it('while the new version is checked, it is back for the check that wants it, and the version is committed', () =>
    onNode({ files: [LATE_CHECK] }, async ({ homelab, node, bundle }) => {
      const install = homelab.lamactl(['install', '--on-node', bundle]);
      await reaches(node, 'checking');
      await end(node);
      expect((await install).exitCode).toBe(0);
      expect(await report(homelab)).toMatchObject(COMMITTED);
    }));

  it('while the slot is being written, the update failed, the slot is not ok, and the next one is committed', () =>
    onNode({}, async ({ homelab, node, bundle }) => {
      const before = await shellOk(node, `sha256sum ${ROOT_SLOT}a`);
      const other = await shellOk(node, START_OF_B);
      await limitRauc(node, 'CPUQuota=5%');
      const install = homelab.lamactl(['install', '--on-node', bundle]);
      await reaches(node, 'installing');
      await shellOk(node, `while [ "$(${START_OF_B})" = '${other.trim()}' ]; do sleep 0.02; done`);
      await end(node);
      const { exitCode, all } = await install;
      expect({ exitCode, all }).toMatchObject({ exitCode: 8, all: expect.stringContaining('INSTALL_INTERRUPTED') });
      expect(await journaled(node)).toMatchObject({ phase: 'failed', targetSlot: { bootname: 'B' } });
      expect(await report(homelab)).toMatchObject({ ...CUT_OFF, slots: { A: 'good primary', B: expect.not.stringContaining('ok') } });
      expect(await shellOk(node, `sha256sum ${ROOT_SLOT}a`)).toBe(before);
      await limitRauc(node, 'CPUQuota=');
      expect((await homelab.lamactl(['install', '--on-node', bundle])).exitCode).toBe(0);
      expect(await report(homelab)).toMatchObject(COMMITTED);
    }));
});
