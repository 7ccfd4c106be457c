// SPDX-License-Identifier: Apache-2.0
import { hostname } from 'node:os';
import { oneLine } from '../../../shared/printable.ts';
import { type ExitName, worst } from '../../exit-code.ts';
import type { Target } from '../../node/node.ts';
import type { RolloutClaim } from '../../node/node-rollout.ts';
import { RolloutProgress } from '../../output/rollout-progress.ts';
import type { FindParts } from '../../rollout/find-rollout.ts';
import { RolloutJournal } from '../../rollout/journal.ts';
import { isInCluster } from '../../rollout/k3s-labels.ts';
import { NodeWork } from '../../rollout/node-work.ts';
import { targetsNamed } from '../../rollout/open-rollout.ts';
import type { Plan } from '../../rollout/plan.ts';
import { Runner } from '../../rollout/runner.ts';
import { RecordSeal } from '../../rollout/seal.ts';
import { hasEnded, isAtRest, isDown, type RolloutState } from '../../rollout/state.ts';
import type { Witnesses } from '../../rollout/witnesses.ts';
import { NODE_EXITS } from '../help.ts';
import { type Session, USUAL_TIMEOUT_MS } from '../session.ts';
import type { RunOptions } from './rollout-options.ts';
import { drainGate, type RolloutTools } from './rollout-tools.ts';

/** How long a majority of the witnesses may be away before lamactl gives up; the rollout goes on with the next "resume". */
const WITNESS_PATIENCE_MS = 900_000;

/** What an administrator says of a rollout, as its runner is to take it. */
export type Order = 'pause' | 'resume' | 'abort' | 'undo';

export interface Taken {
  readonly claim: RolloutClaim;
  readonly witnesses: Witnesses;
  readonly state: RolloutState;
  readonly sequence: number;
  /** Rollouts that a new one does not have to wait for. */
  readonly replaced?: readonly string[];
}

export async function openParts(session: Session): Promise<FindParts & { readonly journal: RolloutJournal; readonly seal: RecordSeal }> {
  return {
    connect: await session.connectAsNow(),
    clock: session.world.clock,
    timeoutMs: session.timeoutMs(USUAL_TIMEOUT_MS),
    patienceMs: WITNESS_PATIENCE_MS,
    onWait: (found) => session.world.stderr.write(`The rollout waits for its record: ${oneLine(found)}.\n`),
    journal: new RolloutJournal(await session.rolloutFolder()),
    seal: new RecordSeal({ identity: await session.identityAsNow(), now: () => session.world.clock.now() }),
    targets: await session.targetsOf('all'),
  };
}

/** Names this process to whoever else would run the rollout, and to a person. */
export function newHolder({ random }: Pick<Session['world'], 'random'>): string {
  return `${hostname()}/${process.pid}.${random(4).toString('hex')}`;
}

export interface RunParts {
  readonly orders: readonly Order[];
  readonly options: RunOptions;
  /** What the runner needs, once the orders are on record; undefined where nodes cannot be seen to their ends from here. */
  readonly tools: () => Promise<RolloutTools | undefined>;
}

/** Runs a rollout that was taken until nothing of it goes on, or until Ctrl-C, and shows it. */
export async function runRollout(session: Session, taken: Taken, { orders, options, tools }: RunParts): Promise<ExitName> {
  const { world } = session;
  const { plan } = taken.state;
  const interrupt = new AbortController();
  const stopListening = world.onInterrupt(() => interrupt.abort());
  const view = new RolloutProgress(session, plan);
  let opened: RolloutTools | undefined;
  try {
    const { clock, journal, seal, connect, targets, timeoutMs } = await openParts(session);
    const { claim, witnesses, state: before, sequence, replaced = [] } = taken;
    const onChange = (from: RolloutState, to: RolloutState): void => view.changed(from, to);
    const runner = new Runner({ claim, journal, seal, witnesses, clock, replaced, onChange }, before, sequence);
    view.began(before);
    const drain = await drainGate(session, plan, options);
    const named = targetsNamed(
      targets,
      plan.nodes.map(({ name }) => name),
    );
    let work: NodeWork | undefined;
    try {
      await runner.record(
        orders.map((type) => ({ type })),
        interrupt.signal,
      );
      if (!isAtRest(runner.state)) opened = await tools();
      if (!opened) {
        await view.ended(runner.state, { left: !isAtRest(runner.state) });
        return exitOf(runner.state, orders);
      }
      const onUpdate: RolloutProgress['update'] = (node, update) => view.update(node, update);
      work = new NodeWork({
        plan,
        claim,
        targets: named,
        context: targets,
        connect,
        clock,
        timeoutMs,
        onUpdate,
        ...opened,
        ...(drain && { drain }),
      });
      const state = await runner.run(work, interrupt.signal);
      await view.ended(state, { left: interrupt.signal.aborted });
      return interrupt.signal.aborted ? 'under-way' : exitOf(state, orders);
    } finally {
      // Also when another runner took the rollout, or nobody could keep its record.
      const cordoned = work?.cordoned ?? [];
      view.stillCordoned(cordoned);
      // The runner before may have drained others.
      if (drain && claim.epoch > 1) view.perhapsCordoned(downInCluster(runner.state, named).filter((name) => !cordoned.includes(name)));
    }
  } finally {
    stopListening();
    await taken.witnesses.close();
    await opened?.file?.close();
  }
}

/** The nodes of a cluster that the rollout may have down. */
function downInCluster({ nodes }: RolloutState, targets: readonly (Target | undefined)[]): readonly string[] {
  return targets.flatMap((target, place) => (target && isInCluster(target.labels) && isDown(nodes[place]!) ? [target.name] : []));
}

/** What a rollout can end with, or is shown to have ended with. */
export const ROLLOUT_EXITS = [
  'done',
  'under-way',
  'refused',
  'rolled-back',
  'update-failed',
  'unhealthy',
  'deadline',
  'rejected',
  ...NODE_EXITS,
] as const satisfies readonly ExitName[];

/** What a rollout ends with at best, because of the nodes that it leaves out and that stay behind. */
export const exitOfLeftOut = ({ leftOut, leftOutExit = 'refused' }: Plan): ExitName => (leftOut ? leftOutExit : 'done');

/** What was asked for is done only when it is; a node that was skipped is unknown. */
export function exitOf(state: RolloutState, orders: readonly Order[]): ExitName {
  const { phase, nodes, plan } = state;
  if (phase === 'paused') return orders.includes('pause') ? 'done' : 'under-way';
  const left: ExitName[] = nodes.some(({ step }) => step === 'skipped') ? ['unknown'] : [];
  if (nodes.some(({ step }) => step === 'undo-failed')) left.push('update-failed');
  if (phase === 'aborted' || phase === 'undone') return worst(phase === 'undone' ? left : ['done']);
  left.push(exitOfLeftOut(plan));
  if (nodes.some(({ step }) => step === 'rolled-back')) left.push('rolled-back');
  if (nodes.some(({ step }) => step === 'failed')) left.push('update-failed');
  return hasEnded(state) || phase === 'halted' ? worst(left) : 'under-way';
}
