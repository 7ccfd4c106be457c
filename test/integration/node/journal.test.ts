// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { VirtualNode } from '../../../qemu/driver.ts';
import { agentAnswers, COMMITTED, json, reaches, report, shellOk } from './ask-node.ts';
import { duringPhase, HELD_PHASES } from './held-phase.ts';
import { BOOT, eventually, SCENARIO_MS } from './kind-of-node.ts';
import { check, FAILING_CHECK, onNode } from './scenario.ts';

const JOURNAL = '/var/lib/lamadist-agent/update.json';
const AGENT = 'lamadist-agent.service';
const SLOW_CHECK = check('slow', 'timeout: 60s', 'retries: 0', 'condition: { type: command, argv: [/bin/sleep, "20"] }');
const INSTALLING = HELD_PHASES.find(({ phase }) => phase === 'installing')!;

/** Does something to the journal between two runs of the agent, which would write it again. The second may end with a restart before it is ready. */
const spoil = (node: VirtualNode, how: string) => shellOk(node, `systemctl stop ${AGENT} && ${how} && systemctl start --no-block ${AGENT}`);

describe('a journal that can not be used', { timeout: SCENARIO_MS }, () => {
  it.each([
    ['is torn', `truncate --size=400 ${JOURNAL}`],
    ['is missing', `rm ${JOURNAL}`],
  ])('and %s in the middle of a trial takes the node back to the slot before', (_how, how) =>
    onNode({ files: [SLOW_CHECK] }, async ({ homelab, node, bundle }) => {
      const install = homelab.lamactl(['install', '--on-node', bundle]);
      await reaches(node, 'checking');
      const trial = node.bootCount;
      await spoil(node, how);
      expect(await install).toMatchObject({ exitCode: 8, all: expect.stringContaining('JOURNAL_UNREADABLE') });
      await eventually('the node to leave the trial', BOOT.timeoutMs, async () => node.bootCount > trial || undefined);
      await agentAnswers(homelab);
      expect(await report(homelab)).toMatchObject({ version: '1', booted: 'A', slots: { A: 'good primary', B: '2 ok bad' } });
      expect((await homelab.lamactl(['install', '--on-node', '/nowhere.raucb'])).all).toContain('BUNDLE_NOT_FOUND');
    }),
  );

  it('while RAUC writes ends the update, and the next one is installed', () =>
    onNode({}, async (scenario) => {
      const { homelab, node, bundle } = scenario;
      const { exitCode, all } = await duringPhase(scenario, INSTALLING, async () => {
        await spoil(node, `truncate --size=400 ${JOURNAL}`);
        await reaches(node, 'failed');
      });
      expect({ exitCode, all }).toMatchObject({ exitCode: 8, all: expect.stringContaining('JOURNAL_UNREADABLE') });
      await shellOk(node, 'until rauc status >/dev/null 2>&1; do sleep 0.2; done');
      expect(await report(homelab)).toMatchObject({ version: '1', booted: 'A', slots: { A: 'good primary', B: '2 ok bad' } });
      expect((await homelab.lamactl(['install', '--on-node', bundle])).exitCode).toBe(0);
      expect(await report(homelab)).toMatchObject(COMMITTED);
    }));

  it('after an update was rolled back is no loss: the history tells of it, and of the version that failed', () =>
    onNode({ files: [FAILING_CHECK] }, async ({ homelab, node, bundle }) => {
      expect((await homelab.lamactl(['install', '--on-node', bundle])).exitCode).toBe(9);
      await spoil(node, `rm ${JOURNAL}`);
      await agentAnswers(homelab);
      expect((await homelab.lamactl(['watch'])).exitCode).toBe(9);
      const again = await homelab.lamactl(['install', homelab.bundlePath('2')]);
      expect(again).toMatchObject({ exitCode: 8, all: expect.stringContaining('VERSION_FAILED_HERE') });
    }));
});

/** What the agent of the next version would leave behind when its slot is given up. */
const newerJournal = (script: string) => [
  FAILING_CHECK,
  {
    path: '/usr/lib/systemd/system/lamadist-agent.service.d/newer.conf',
    content: '[Service]\nExecStopPost=/usr/bin/node /usr/lib/newer-journal.cjs\n',
  },
  {
    path: '/usr/lib/newer-journal.cjs',
    content: `const fs = require('node:fs');
const journal = JSON.parse(fs.readFileSync('${JOURNAL}', 'utf8'));
if (journal.state.phase === 'rolling-back') {
  const remembered = { version: '7', operationId: 'x', code: 'CHECK_FAILED', atMs: 1, weather: 'rain' };
  journal.failedVersions.push(remembered);
  journal.moon = { phase: 'full' };
  journal.state.mood = 'sad';
  ${script}
  fs.writeFileSync('${JOURNAL}', JSON.stringify(journal));
}
`,
  },
];

describe('the journal of a newer agent that was rolled back', { timeout: SCENARIO_MS }, () => {
  it('is read by the older one, which keeps what it does not know', () =>
    onNode({ files: newerJournal('journal.schema = 2;') }, async ({ homelab, node, bundle }) => {
      expect((await homelab.lamactl(['install', '--on-node', bundle])).exitCode).toBe(9);
      const journal = JSON.parse(await node.readFile(JOURNAL));
      expect(journal).toMatchObject({
        schema: 1,
        moon: { phase: 'full' },
        state: { phase: 'rolled-back', reason: { code: 'CHECK_FAILED' } },
      });
      expect(journal.failedVersions).toMatchObject([{ version: '7', weather: 'rain' }, { version: '2' }]);
    }));

  it('in a format that the older one can not read is kept aside, and the older one goes on with what it understands', () =>
    onNode({ files: newerJournal("journal.schema = journal.readableSince = 9; journal.state.phase = 'rewinding';") }, async (scenario) => {
      const { homelab, node, bundle } = scenario;
      const { exitCode, all } = await homelab.lamactl(['install', '--on-node', bundle]);
      expect({ exitCode, all }).toMatchObject({ exitCode: 8, all: expect.stringContaining('a newer agent wrote it in format 9') });
      expect(JSON.parse(await node.readFile(`${JOURNAL}.damaged`))).toMatchObject({ state: { phase: 'rewinding' } });
      expect(await report(homelab)).toMatchObject({ version: '1', booted: 'A', slots: { A: 'good primary', B: '2 ok bad' } });
      const { nodes } = await json<{ nodes: { updates: object[] }[] }>(homelab, 'history');
      expect(nodes[0]?.updates).toMatchObject([{ phase: 'failed', reason: { code: 'JOURNAL_UNREADABLE' }, requestedBy: 'admin' }]);
      expect(JSON.parse(await node.readFile(JOURNAL)).failedVersions).toMatchObject([{ version: '7', weather: 'rain' }]);
      expect((await homelab.lamactl(['install', '--on-node', '/nowhere.raucb'])).all).toContain('BUNDLE_NOT_FOUND');
    }));
});
