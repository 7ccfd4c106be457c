// SPDX-License-Identifier: Apache-2.0
import { parseArgs } from 'node:util';
import type { Phase } from '../../agent/daemon/update/life/state.ts';
import { Homelab } from '../../qemu/homelab.ts';
import { agentAnswers } from '../integration/node/ask-node.ts';
import { BOOT } from '../integration/node/kind-of-node.ts';
import { FAILING_CHECK } from '../integration/node/scenario.ts';
import { FAULTS, type Fault } from './fault.ts';
import { seeded } from './random.ts';
import { type Outcome, play, type Round } from './round.ts';
import { table } from './table.ts';

/**
 * Updates a node again and again and does something to it in the middle: every fault in every phase, at a random moment of it,
 * as often as --rounds says. Prints what came of it; fails when a node was lost. The same --seed gives the same moments.
 */
const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '1' }, seed: { type: 'string', default: String(Date.now() % 1_000_000) } },
});
const random = seeded(Number(values.seed));
const LONGEST_DELAY_MS = 500;

const GOOD_PHASES: readonly Phase[] = [
  'inspecting',
  'installing',
  'installed',
  'activating',
  'pending-reboot',
  'trial',
  'checking',
  'committing',
];
const BAD_PHASES: readonly Phase[] = ['rolling-back'];

/** Ctrl-C ends it after the round under way, with the figures so far. */
const stopping = new AbortController();
process.once('SIGINT', () => stopping.abort());

const say = (line: string): void => void process.stderr.write(`${line}\n`);

function everyPair(times: number): readonly { readonly phase: Phase; readonly fault: Fault }[] {
  const once = [...GOOD_PHASES, ...BAD_PHASES].flatMap((phase) => FAULTS.map((fault) => ({ phase, fault })));
  return Array.from({ length: times }, () => once).flat();
}

async function run(): Promise<boolean> {
  say(`seed ${values.seed}`);
  const homelab = await Homelab.create(() => {});
  const outcomes: { round: Round; outcome: Outcome }[] = [];
  try {
    const node = await homelab.addNode('attic', await homelab.image('1'));
    const good = await Promise.all(
      ['2', '3'].map(async (version) => ({ version, path: await homelab.bundle(await homelab.image(version)) })),
    );
    const bad = { version: '4', path: await homelab.bundle(await homelab.image('4', { files: [FAILING_CHECK] })) };
    await node.start();
    await node.waitForBoot(BOOT);
    await agentAnswers(homelab);
    for (const { phase, fault } of everyPair(Number(values.rounds))) {
      if (stopping.signal.aborted) break;
      const bundle = BAD_PHASES.includes(phase) ? bad : good[outcomes.length % good.length]!;
      const round = { fault, phase, delayMs: Math.round(random() * LONGEST_DELAY_MS), bundle };
      const outcome = await play(homelab, node, round);
      outcomes.push({ round, outcome });
      say(`${fault.name}, ${round.delayMs} ms into ${phase} (then ${outcome.struckIn}): ${outcome.ended}; ${outcome.lost ?? 'survived'}`);
    }
  } finally {
    await homelab.remove();
  }
  process.stdout.write(`${table(outcomes)}\nseed ${values.seed}\n`);
  return outcomes.every(({ outcome }) => outcome.lost === undefined);
}

process.exitCode = (await run()) ? 0 : 1;
