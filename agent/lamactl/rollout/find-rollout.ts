// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../shared/failure.ts';
import { ask } from '../fleet/ask.ts';
import type { KnownRollout } from '../node/node-rollout.ts';
import type { RolloutJournal } from './journal.ts';
import { type OpenParts, planOf } from './open-rollout.ts';
import { newest } from './quorum.ts';

export interface FindParts extends OpenParts {
  readonly journal: Pick<RolloutJournal, 'plan' | 'read' | 'list'>;
}

/** The id that was said, or that of the rollout that has not ended, or began last. Throws ROLLOUT_NOT_FOUND, INVALID_REQUEST. */
export async function findRollout(id: string | undefined, parts: FindParts): Promise<string> {
  if (id !== undefined) return id;
  const { onNodes, silent } = await rolloutsOnNodes(parts);
  const own = (await parts.journal.list()).filter((each) => !onNodes.some((known) => known.id === each.id));
  const open = onNodes.filter(({ ended }) => !ended).map((known) => known.id);
  for (const { id: mine, ended } of own) if (!ended && (await mayGoOn(mine, silent, parts))) open.push(mine);
  if (open.length > 1) {
    throw new Failure('INVALID_REQUEST', `Cannot tell which rollout is meant: these have not ended: ${open.join(', ')}`, { field: 'id' });
  }
  // What this machine knows of the past is no more than a part of it, where nodes tell otherwise.
  const found = open[0] ?? (await lastOf(onNodes, parts)) ?? (silent.size === parts.targets.length ? own.at(-1)?.id : undefined);
  if (found === undefined) {
    throw new Failure(
      'ROLLOUT_NOT_FOUND',
      'Cannot find a rollout: no node that answers knows one; with its id it may be found on this machine',
    );
  }
  return found;
}

/** The rollouts that the nodes of the context know, each as its newest copy tells, and the names of the nodes that did not answer. */
export async function rolloutsOnNodes({ targets, connect, timeoutMs }: OpenParts): Promise<{
  readonly onNodes: readonly KnownRollout[];
  readonly silent: ReadonlySet<string>;
}> {
  const answers = await ask(targets, connect, { timeoutMs }, (node) => node.rollouts());
  const silent = new Set(answers.flatMap(({ ok, target }) => (ok ? [] : [target.name])));
  return { onNodes: newestOfEach(answers.flatMap((answer) => (answer.ok ? answer.value : []))), silent };
}

/** Of each rollout that nodes told of, the newest that one of its witnesses has. */
export function newestOfEach(copies: readonly KnownRollout[]): readonly KnownRollout[] {
  const ids = [...new Set(copies.map(({ id }) => id))];
  return ids.flatMap((id) => newest(copies.filter((copy) => copy.id === id)) ?? []);
}

/** A rollout that no node tells of is over, unless one of its witnesses could not be asked. */
async function mayGoOn(id: string, silent: ReadonlySet<string>, { journal }: FindParts): Promise<boolean> {
  return (await journal.plan(id))?.witnesses.some((name) => silent.has(name)) === true;
}

/** The one that began last; a node that was away for some time may know others than the rest. */
async function lastOf(known: readonly KnownRollout[], parts: OpenParts): Promise<string | undefined> {
  if (known.length < 2) return known[0]?.id;
  const plans = await Promise.all(known.map(({ id }) => planOf(id, parts).catch(() => undefined)));
  const found = plans.filter((plan) => plan !== undefined).sort((a, b) => b.createdAtMs - a.createdAtMs);
  return found[0]?.id ?? known[0]?.id;
}
