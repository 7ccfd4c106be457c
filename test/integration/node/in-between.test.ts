// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { UpdateState } from '../../../agent/daemon/update/life/state.ts';
import { agentAnswers, COMMITTED, journaled, report, shellOk } from './ask-node.ts';
import { duringPhase, HELD_PHASES } from './held-phase.ts';
import { BOOT, SCENARIO_MS } from './kind-of-node.ts';
import { FAILING_CHECK, onNode } from './scenario.ts';

const INSTALLING = HELD_PHASES.find(({ phase }) => phase === 'installing')!;

describe('while a slot is being written', { timeout: SCENARIO_MS }, () => {
  it('a second install and a reboot are refused, whoever asks, and the first one is committed', () =>
    onNode({}, async (scenario) => {
      const { homelab, node, bundle } = scenario;
      const { exitCode, all } = await duringPhase(scenario, INSTALLING, async () => {
        const second = await homelab.lamactl(['install', '--on-node', bundle]);
        expect(second).toMatchObject({ exitCode: 7, all: expect.stringContaining('UPDATE_IN_PROGRESS') });
        expect(await homelab.lamactl(['reboot'])).toMatchObject({ exitCode: 7, all: expect.stringContaining('REBOOT_REFUSED') });
        // Past the agent, and RAUC shows itself idle after that.
        const { exitCode: besides } = await node.shell(`rauc install ${bundle}`, BOOT);
        expect(besides).not.toBe(0);
      });
      expect({ exitCode, all }).toMatchObject({ exitCode: 0 });
      expect(await report(homelab)).toMatchObject(COMMITTED);
    }));

  it('a reboot past the agent interrupts the update, and the next one is committed', () =>
    onNode({}, async (scenario) => {
      const { homelab, node, bundle } = scenario;
      const first = await node.waitForBoot(BOOT);
      const { exitCode, all } = await duringPhase(scenario, INSTALLING, async () => {
        await shellOk(node, 'systemctl reboot');
        await node.release(INSTALLING.hold);
        await node.waitForBoot({ ...BOOT, after: first });
        await agentAnswers(homelab);
      });
      expect({ exitCode, all }).toMatchObject({ exitCode: 8, all: expect.stringContaining('INSTALL_INTERRUPTED') });
      expect(await report(homelab)).toMatchObject({ version: '1', booted: 'A', slots: { A: 'good primary' } });
      expect((await homelab.lamactl(['install', homelab.bundlePath('2')])).exitCode, bundle).toBe(0);
      expect(await report(homelab)).toMatchObject(COMMITTED);
    }));
});

describe('one bad update after another', { timeout: 2 * SCENARIO_MS }, () => {
  it('is rolled back each time, is remembered each time, and a good one is still committed', () =>
    onNode({}, async ({ homelab, node }) => {
      const failedVersions: string[] = [];
      for (const version of ['1.1', '1.2', '1.3']) {
        const bundle = await homelab.bundle(await homelab.image(version, { files: [FAILING_CHECK] }));
        expect((await homelab.lamactl(['install', '--on-node', await node.deliver(bundle)])).exitCode).toBe(9);
        const slots = { A: 'good primary', B: `${version} ok bad` };
        expect(await report(homelab)).toMatchObject({ version: '1', booted: 'A', slots });
        const ended: UpdateState = await journaled(node);
        expect(ended).toMatchObject({
          phase: 'rolled-back',
          reason: { code: 'CHECK_FAILED', failedChecks: ['web-server'] },
          failedBootLog: expect.stringContaining('web-server'),
        });
        failedVersions.push(version);
      }
      const { failedVersions: remembered } = JSON.parse(await node.readFile('/var/lib/lamadist-agent/update.json'));
      expect(remembered.map(({ version }: { version: string }) => version)).toEqual(failedVersions);
      expect(node.bootCount).toBe(7);
      const good = await node.deliver(homelab.bundlePath('2'));
      expect((await homelab.lamactl(['install', '--on-node', good])).exitCode).toBe(0);
      expect(await report(homelab)).toMatchObject(COMMITTED);
    }));
});
