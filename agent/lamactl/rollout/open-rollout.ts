// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../shared/failure.ts';
import { ask } from '../fleet/ask.ts';
import type { Target } from '../node/node.ts';
import type { KnownRollout, RolloutClaim, RolloutCopy } from '../node/node-rollout.ts';
import type { RolloutJournal } from './journal.ts';
import { newest } from './quorum.ts';
import { unpackPlan, unpackProgress } from './record.ts';
import type { RolloutState } from './state.ts';
import { Witnesses, type WitnessParts } from './witnesses.ts';

export interface OpenParts extends WitnessParts {
  readonly journal: Pick<RolloutJournal, 'plan' | 'list'>;
  /** The nodes with these names, in that order; or all of the context. Throws when one is not known. */
  readonly targetsOf: (names: readonly string[] | 'all') => Promise<readonly Target[]>;
}

/** A rollout as its record says, with whom it can be written down. */
export interface OpenRollout {
  readonly state: RolloutState;
  readonly witnesses: Witnesses;
  readonly sequence: number;
  readonly holder: string;
  readonly epoch: number;
}

/** The id that was said, or that of the rollout that has not ended, or ended last: of this machine, or else on the nodes. */
export async function findRollout(id: string | undefined, parts: OpenParts): Promise<string> {
  if (id !== undefined) return id;
  const own = await parts.journal.list();
  const mine = own.findLast(({ ended }) => !ended) ?? own.at(-1);
  if (mine) return mine.id;
  const known = await rolloutsOnNodes(parts);
  const open = known.filter(({ ended }) => !ended);
  if (open.length > 1) {
    const ids = open.map((each) => each.id).join(', ');
    throw new Failure('INVALID_REQUEST', `Cannot tell which rollout is meant: the nodes know ${ids}`, { field: 'id' });
  }
  const found = open[0] ?? known[0];
  if (!found) throw new Failure('ROLLOUT_NOT_FOUND', 'Cannot find a rollout: neither this machine nor a node that answers knows one');
  return found.id;
}

/** The rollouts that the nodes of the context know, each as its newest copy tells. */
export async function rolloutsOnNodes({ targetsOf, connect, timeoutMs }: OpenParts): Promise<readonly KnownRollout[]> {
  const answers = await ask(await targetsOf('all'), connect, { timeoutMs }, (node) => node.rollouts());
  return newestOfEach(answers.flatMap((answer) => (answer.ok ? answer.value : [])));
}

/** Of each rollout that nodes told of, the newest that one of its witnesses has. */
export function newestOfEach(copies: readonly KnownRollout[]): readonly KnownRollout[] {
  const ids = [...new Set(copies.map(({ id }) => id))];
  return ids.flatMap((id) => newest(copies.filter((copy) => copy.id === id)) ?? []);
}

/** Reads a rollout off a majority of its witnesses, and leaves it to whoever holds it. */
export async function readRollout(id: string, parts: OpenParts, signal: AbortSignal): Promise<OpenRollout> {
  const witnesses = await witnessesOf(id, parts);
  return { ...opened(id, await witnesses.read(id, signal)), witnesses };
}

/** Takes a rollout: whoever held it is refused from now on. Throws ROLLOUT_TAKEN_OVER when somebody else was faster. */
export async function takeRollout(
  id: string,
  holder: string,
  parts: OpenParts,
  signal: AbortSignal,
): Promise<OpenRollout & { readonly claim: RolloutClaim }> {
  const witnesses = await witnessesOf(id, parts);
  const known = await witnesses.read(id, signal);
  const epoch = Math.max(...known.map((copy) => copy.epoch)) + 1;
  const claim = { rolloutId: id, epoch, holder };
  return { ...opened(id, await witnesses.take(claim, signal)), witnesses, claim };
}

async function witnessesOf(id: string, parts: OpenParts): Promise<Witnesses> {
  const own = await parts.journal.plan(id);
  const names = own?.witnesses ?? (await rolloutsOnNodes(parts)).find((known) => known.id === id)?.witnesses;
  if (!names)
    throw new Failure('ROLLOUT_NOT_FOUND', `Cannot find the rollout ${id}: neither this machine nor a node that answers knows it`);
  return new Witnesses(await parts.targetsOf(names), parts);
}

function opened(id: string, copies: readonly RolloutCopy[]): Omit<OpenRollout, 'witnesses'> {
  // A witness that never had the plan cannot have written anything that counts.
  const copy = newest(copies.filter(({ plan }) => plan.length > 0));
  if (!copy) throw new Failure('ROLLOUT_NOT_FOUND', `Cannot find the rollout ${id}: its witnesses have no record of it`);
  const { sequence, holder, epoch } = copy;
  return { state: unpackProgress(unpackPlan(copy.plan), copy.progress), sequence, holder, epoch };
}
