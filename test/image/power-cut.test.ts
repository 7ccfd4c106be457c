// SPDX-License-Identifier: Apache-2.0
import { appendFile, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  agentAnswers,
  check,
  journaled,
  onNode,
  reaches,
  report,
  SCENARIO_MS,
  type Scenario,
  shellOk,
} from '../integration/node/scenario.ts';
import { cutAt, MOMENTS, type Moment } from './moments.ts';

/** Gives the gate a while, so that there is a middle of it. */
const SLOW_CHECK = check('slow', 'timeout: 60s', 'retries: 0', 'condition: { type: command, argv: [/bin/sleep, "8"] }');
/** Nothing of these is under way: the node has made up its mind. */
const SETTLED = ['idle', 'committed', 'rolled-back', 'failed', 'pending-reboot', 'installed'] as const;
const TABLE = path.join(process.env.LAMADIST_LOGS ?? 'test-output/vm', 'power-cuts.md');

/** What was acknowledged before the cut: a file that the node said it had made durable. */
async function acknowledge(scenario: Scenario, text: string): Promise<void> {
  await shellOk(scenario.node, `echo ${text} >/var/lib/acknowledged && sync /var/lib/acknowledged /var/lib`);
}

async function row(cells: readonly string[]): Promise<void> {
  await mkdir(path.dirname(TABLE), { recursive: true });
  await appendFile(TABLE, `| ${cells.join(' | ')} |\n`);
}

/** Cuts the power at one moment of an update from A to B, and says what came of it. */
async function cutOnce(scenario: Scenario, moment: Moment): Promise<void> {
  const { homelab, node } = scenario;
  const name = `${moment.stage}: ${moment.name}`;
  const canary = name.replaceAll(/[^a-z0-9]+/g, '-');
  await acknowledge(scenario, canary);
  const { acknowledged } = await cutAt(scenario, moment);
  await agentAnswers(homelab);
  const kept = (await shellOk(node, 'cat /var/lib/acknowledged')).trim() === canary;
  await reaches(node, ...SETTLED);
  const { booted, version } = await report(homelab);
  const { phase } = await journaled(node);
  await row([name, `${booted}, version ${version}`, phase, kept ? 'nothing' : 'what was acknowledged']);
  expect.soft(kept, name).toBe(true);
  // A slot that was never committed is not the one that a power cut leaves running, and one that was is not lost.
  const expected = phase === 'committed' ? { booted: 'B', version: '2' } : { booted: 'A', version: '1' };
  expect.soft({ name, booted, version }).toEqual({ name, ...expected });
  if (acknowledged) expect.soft(phase, name).toBe('committed');
  if (booted === 'B') {
    expect((await homelab.lamactl(['rollback', '--message', 'once more'])).exitCode).toBe(0);
    await agentAnswers(homelab);
  }
}

describe('a power cut in which everything is lost that was not flushed', { timeout: MOMENTS.length * SCENARIO_MS }, () => {
  it(`at each of ${MOMENTS.length} moments leaves a node that boots a consistent slot, with all that it acknowledged`, () =>
    onNode({ files: [SLOW_CHECK] }, async (scenario) => {
      for (const moment of MOMENTS) {
        // What was delivered is gone with the boot before.
        await cutOnce({ ...scenario, bundle: await scenario.node.deliver(scenario.homelab.bundlePath('2')) }, moment);
      }
    }));
});
