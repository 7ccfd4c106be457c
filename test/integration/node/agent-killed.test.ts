// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { VirtualNode } from '../../../qemu/driver.ts';
import { agentAnswers, COMMITTED, ROLLED_BACK, reaches, report, shellOk } from './ask-node.ts';
import { duringPhase, HELD_PHASES } from './held-phase.ts';
import { BOOT, IN_VM, QUICK, SCENARIO_MS } from './kind-of-node.ts';
import { check, FAILING_CHECK, onNode } from './scenario.ts';

const SLOW_CHECK = check('slow', 'timeout: 60s', 'retries: 0', 'condition: { type: command, argv: [/bin/sleep, "5"] }');

const killAgent = (node: VirtualNode) => shellOk(node, 'systemctl kill --signal=KILL --kill-whom=main lamadist-agent.service');

describe('an agent that is killed', { timeout: SCENARIO_MS }, () => {
  it.each(HELD_PHASES)('while $phase goes on, and the update comes to its end', (held) =>
    onNode({ files: held.bad ? [FAILING_CHECK] : [] }, async (scenario) => {
      const { exitCode } = await duringPhase(scenario, held, () => killAgent(scenario.node));
      expect(exitCode).toBe(held.bad ? 9 : 0);
      expect(await report(scenario.homelab)).toMatchObject(held.bad ? ROLLED_BACK : COMMITTED);
    }),
  );

  it('again and again on a committed boot comes back after a while, and leaves the slot as it is', () =>
    onNode({}, async ({ homelab, node }) => {
      const soon = '/run/systemd/system/lamadist-agent-again.service.d/soon.conf';
      await shellOk(node, `mkdir -p ${soon.replace('/soon.conf', '')}`);
      await node.writeFile(soon, '[Service]\nExecStart=\nExecStart=/usr/bin/sleep 3\n');
      await shellOk(node, 'systemctl daemon-reload');
      // Until systemd gives it up: the limit of its unit is five starts a minute.
      await shellOk(
        node,
        'for i in $(seq 60); do systemctl is-failed -q lamadist-agent && exit 0; systemctl kill --signal=KILL --kill-whom=main lamadist-agent; sleep 0.5; done; exit 1',
      );
      await agentAnswers(homelab);
      expect(await report(homelab)).toMatchObject({ version: '1', booted: 'A' });
    }));

  it('while checking begins the trial again, and the update is committed', () =>
    onNode({ files: [SLOW_CHECK] }, async ({ homelab, node, bundle }) => {
      const install = homelab.lamactl(['install', '--on-node', bundle]);
      await reaches(node, 'checking');
      await killAgent(node);
      expect((await install).exitCode).toBe(0);
      expect(await report(homelab)).toMatchObject(COMMITTED);
    }));

  it('while the reboot is pending waits for the administrator as before', () =>
    onNode({}, async ({ homelab, node, bundle }) => {
      await homelab.lamactl(['install', '--on-node', bundle, '--reboot', 'manual']);
      await killAgent(node);
      await agentAnswers(homelab);
      expect((await homelab.lamactl(['watch', '--wait', '5s'])).exitCode).toBe(13);
      expect((await homelab.lamactl(['reboot', '--wait'])).exitCode).toBe(0);
      expect((await homelab.lamactl(['watch'])).exitCode).toBe(0);
      expect(await report(homelab)).toMatchObject(COMMITTED);
    }));

  it.each([
    ['committed', [], 0, COMMITTED],
    ['rolled-back', [FAILING_CHECK], 9, ROLLED_BACK],
  ] as const)('after the update was %s still tells how it ended', (phase, files, code, end) =>
    onNode({ files }, async ({ homelab, node, bundle }) => {
      expect((await homelab.lamactl(['install', '--on-node', bundle])).exitCode).toBe(code);
      await killAgent(node);
      await agentAnswers(homelab);
      expect((await homelab.lamactl(['watch'])).exitCode).toBe(code);
      expect(await report(homelab)).toMatchObject(end);
      expect((await reaches(node, phase)).phase).toBe(phase);
    }),
  );

  it('after an update failed, and while none was ever asked for, still takes the next one', () =>
    onNode({}, async ({ homelab, node, bundle }) => {
      await killAgent(node);
      await agentAnswers(homelab);
      expect((await homelab.lamactl(['install', '--on-node', '/nowhere.raucb', '--wait', '60s'])).exitCode).toBe(8);
      await killAgent(node);
      await reaches(node, 'failed');
      await agentAnswers(homelab);
      expect((await homelab.lamactl(['install', '--on-node', bundle])).exitCode).toBe(0);
      expect(await report(homelab)).toMatchObject(COMMITTED);
    }));

  it('by systemd stops within two seconds, leaves the install to RAUC, and takes it up again', () =>
    onNode({}, async ({ homelab, node, bundle }) => {
      await node.hold('set-state.B.bad');
      const install = homelab.lamactl(['install', '--on-node', bundle]);
      await node.waitUntilHeld('set-state.B.bad', BOOT);
      await reaches(node, 'installing');
      const { stdout } = await node.shell(
        's=$(date +%s%N); systemctl stop lamadist-agent.service; e=$(date +%s%N); echo $(( (e - s) / 1000000 ))',
        QUICK,
      );
      // An emulated processor is a tenth of a real one.
      expect(Number(stdout)).toBeLessThan(IN_VM ? 20_000 : 2_000);
      await node.release('set-state.B.bad');
      const { stdout: finished } = await node.shell(
        'busctl wait --timeout=30 / de.pengutronix.rauc.Installer Completed >/dev/null 2>&1; systemctl is-active rauc.service',
        QUICK,
      );
      expect(finished.trim()).toBe('active');
      await node.shell('systemctl start lamadist-agent.service', QUICK);
      expect((await install).exitCode).toBe(0);
      expect(await report(homelab)).toMatchObject(COMMITTED);
    }));
});
