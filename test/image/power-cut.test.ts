// SPDX-License-Identifier: Apache-2.0
import { appendFile, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { VirtualMachine } from '../../qemu/vm/machine/virtual-machine.ts';
import { agentAnswers, BOOT, check, journaled, onNode, reaches, report, SCENARIO_MS, type Scenario } from '../integration/node/scenario.ts';
import { chosenMoments, type Moment, recordUpdate } from './recorded-update.ts';

/** Gives the gate a while, so that there is a middle of it. */
const SLOW_CHECK = check('slow', 'timeout: 60s', 'retries: 0', 'condition: { type: command, argv: [/bin/sleep, "8"] }');
/** Nothing of these is under way: the node has made up its mind. */
const SETTLED = ['idle', 'committed', 'rolled-back', 'failed', 'pending-reboot', 'installed'] as const;
const TABLE = path.join(process.env.LAMADIST_LOGS ?? 'test-output/vm', 'power-cuts.md');
const HEADING =
  '| stage | after | lamactl had been told | writes durable, lost | came up on | the update is | acknowledged, and lost |\n|---|---|---|---|---|---|---|\n';

async function row(cells: readonly (string | number)[]): Promise<void> {
  await appendFile(TABLE, `| ${cells.join(' | ')} |\n`);
}

/** Cuts the power at one moment of the recorded update, switches the machine on again, and says what came of it. */
async function cutAt({ homelab, node }: Scenario, moment: Moment): Promise<void> {
  const { kept, lost } = await (node as VirtualMachine).goBackTo(moment);
  await node.start();
  await node.waitForBoot(BOOT);
  await agentAnswers(homelab);
  await reaches(node, ...SETTLED);
  const { booted, version } = await report(homelab);
  const state = await journaled(node);
  const known = 'phaseChanges' in state ? state.phaseChanges.map(({ phase }) => phase) : [];
  const forgotten = known.includes(moment.told) ? 'nothing' : moment.told;
  const where = `${moment.stage}, ${Math.round(moment.afterMs / 1000)} s`;
  await row([...where.split(', '), moment.told, `${kept}, ${lost}`, `${booted}, version ${version}`, state.phase, forgotten]);
  expect.soft(forgotten, where).toBe('nothing');
  // A slot that was never committed is not the one that a power cut leaves running, and one that was is not lost.
  const expected = state.phase === 'committed' ? { booted: 'B', version: '2' } : { booted: 'A', version: '1' };
  expect.soft({ where, booted, version }).toEqual({ where, ...expected });
  if (moment.told === 'committed') expect.soft(state.phase, where).toBe('committed');
}

describe('a power cut in which everything is lost that was not flushed', { timeout: 20 * SCENARIO_MS }, () => {
  it('at twenty moments of an update leaves a node that boots a consistent slot, with all that it acknowledged', () =>
    onNode({ files: [SLOW_CHECK] }, async (scenario) => {
      const moments = chosenMoments(await recordUpdate(scenario));
      await mkdir(path.dirname(TABLE), { recursive: true });
      await appendFile(TABLE, HEADING);
      for (const moment of moments) await cutAt(scenario, moment);
    }));
});
