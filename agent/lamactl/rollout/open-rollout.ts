// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../shared/failure.ts';
import { ask } from '../fleet/ask.ts';
import type { NodeConnection, Target } from '../node/node.ts';
import type { KnownRollout, RolloutClaim, RolloutCopy } from '../node/node-rollout.ts';
import type { RolloutJournal } from './journal.ts';
import type { Plan } from './plan.ts';
import { newest } from './quorum.ts';
import { unpackPlan, unpackProgress } from './record.ts';
import type { RolloutState } from './state.ts';
import { Witnesses, type WitnessParts } from './witnesses.ts';

export interface OpenParts extends WitnessParts {
  readonly journal: Pick<RolloutJournal, 'plan'>;
  /** All nodes of the context. */
  readonly targets: readonly Target[];
}

/** A rollout as its record says, with whom it can be written down. */
export interface OpenRollout {
  readonly state: RolloutState;
  readonly witnesses: Witnesses;
  readonly sequence: number;
  readonly holder: string;
  readonly epoch: number;
}

/** Reads a rollout off a majority of its witnesses, and leaves it to whoever holds it. */
export async function readRollout(id: string, parts: OpenParts, signal: AbortSignal): Promise<OpenRollout> {
  const { plan, witnesses } = await witnessesOf(id, parts);
  return { ...opened(plan, await witnesses.read(id, signal)), witnesses };
}

/** Takes a rollout: whoever held it is refused from now on. Throws ROLLOUT_TAKEN_OVER when somebody else was faster. */
export async function takeRollout(
  id: string,
  holder: string,
  parts: OpenParts,
  signal: AbortSignal,
): Promise<OpenRollout & { readonly claim: RolloutClaim }> {
  const { plan, witnesses } = await witnessesOf(id, parts);
  const known = await witnesses.read(id, signal);
  const epoch = Math.max(...known.map((copy) => copy.epoch)) + 1;
  const claim = { rolloutId: id, epoch, holder };
  return { ...opened(plan, await witnesses.take(claim, signal)), witnesses, claim };
}

async function witnessesOf(id: string, parts: OpenParts): Promise<{ readonly plan: Plan; readonly witnesses: Witnesses }> {
  const plan = await planOf(id, parts);
  return { plan, witnesses: new Witnesses(targetsNamed(parts.targets, plan.witnesses), parts) };
}

/** The nodes with these names; one that the context does not have is undefined. */
export function targetsNamed(targets: readonly Target[], names: readonly string[]): readonly (Target | undefined)[] {
  const known = new Map(targets.map((target) => [target.name, target]));
  return names.map((name) => known.get(name));
}

/** The plan that this machine wrote down, or else one of the nodes. Throws ROLLOUT_NOT_FOUND. */
export async function planOf(id: string, { journal, targets, connect, timeoutMs }: OpenParts): Promise<Plan> {
  const own = await journal.plan(id);
  if (own) return own;
  const answers = await ask(targets, connect, { timeoutMs }, (node) => planOn(node, id));
  const found = answers.find((answer) => answer.ok && answer.value !== undefined);
  if (found?.ok && found.value) return found.value;
  throw new Failure('ROLLOUT_NOT_FOUND', `Cannot find the rollout ${id}: neither this machine nor a node that answers knows it`);
}

async function planOn(node: NodeConnection, id: string): Promise<Plan | undefined> {
  const isKnown = (await node.rollouts()).some((known: KnownRollout) => known.id === id);
  const { plan } = isKnown ? await node.rollout(id) : { plan: Buffer.of() };
  return plan.length > 0 ? unpackPlan(id, plan) : undefined;
}

function opened(plan: Plan, copies: readonly RolloutCopy[]): Omit<OpenRollout, 'witnesses'> {
  const copy = newest(copies);
  if (!copy) throw new Failure('ROLLOUT_NOT_FOUND', `Cannot find the rollout ${plan.id}: its witnesses have no record of it`);
  const { sequence, holder, epoch } = copy;
  return { state: unpackProgress(plan, copy.progress), sequence, holder, epoch };
}
