// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../shared/failure.ts';
import { printable } from '../../shared/printable.ts';
import { ask } from '../fleet/ask.ts';
import type { NodeConnection, Target } from '../node/node.ts';
import type { KnownRollout, RolloutClaim, RolloutCopy } from '../node/node-rollout.ts';
import type { RolloutJournal } from './journal.ts';
import type { Plan } from './plan.ts';
import { newest } from './quorum.ts';
import { unpackPlan, unpackProgress } from './record.ts';
import type { RecordSeal } from './seal.ts';
import type { RolloutState } from './state.ts';
import { Witnesses, type WitnessParts } from './witnesses.ts';

/** Runners that took a rollout, one after the other, and wrote nothing. */
const MOST_UNWRITTEN = 1000;

export interface OpenParts extends WitnessParts {
  readonly journal: Pick<RolloutJournal, 'plan' | 'read'>;
  readonly seal: Pick<RecordSeal, 'open'>;
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

type Opened = Omit<OpenRollout, 'witnesses'>;

/** Reads a rollout off a majority of its witnesses, and leaves it to whoever holds it. */
export async function readRollout(id: string, parts: OpenParts, signal: AbortSignal): Promise<OpenRollout> {
  const { plan, witnesses } = await witnessesOf(id, parts);
  return { ...(await opened(plan, await witnesses.read(id, signal), parts)), witnesses };
}

/** Takes a rollout: whoever held it is refused from now on. Throws ROLLOUT_TAKEN_OVER when somebody else was faster. */
export async function takeRollout(
  id: string,
  holder: string,
  parts: OpenParts,
  signal: AbortSignal,
): Promise<OpenRollout & { readonly claim: RolloutClaim }> {
  const { plan, witnesses } = await witnessesOf(id, parts);
  const copies = await witnesses.read(id, signal);
  const { epoch: written } = await opened(plan, copies, parts);
  const claim = { rolloutId: id, epoch: nextEpoch(written, copies), holder };
  return { ...(await opened(plan, await witnesses.take(claim, signal), parts)), witnesses, claim };
}

/**
 * Newer than all that was promised, as far as that can be true: every runner writes under its epoch soon after it took it, and nobody
 * can tell whether a node lies that says more.
 */
function nextEpoch(written: number, copies: readonly RolloutCopy[]): number {
  const promised = copies.map(({ epoch }) => epoch).filter((epoch) => epoch <= written + MOST_UNWRITTEN);
  return Math.max(written, ...promised) + 1;
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

/** The newest record that an administrator signed, or that this machine wrote down itself. */
async function opened(plan: Plan, copies: readonly RolloutCopy[], { seal, journal }: OpenParts): Promise<Opened> {
  const records: Opened[] = [];
  let why = 'its witnesses have no record of it';
  for (const copy of copies.filter(({ sequence }) => sequence > 0)) {
    try {
      const { progress, holder, ...record } = await seal.open(plan.id, copy.progress);
      records.push({ ...record, holder: printable(holder), state: unpackProgress(plan, progress) });
    } catch (thrown) {
      why = Failure.from(thrown).message;
      // An authority that signed it may have been replaced since.
      const own = await journal.read(plan.id).catch(() => undefined);
      if (own && own.epoch === copy.writtenEpoch && own.sequence === copy.sequence) records.push(own);
    }
  }
  const record = newest(records.map((each) => ({ ...each, writtenEpoch: each.epoch })));
  if (!record) throw new Failure('ROLLOUT_NOT_FOUND', `Cannot find the rollout ${plan.id}: ${why}`);
  const { state, sequence, holder, epoch } = record;
  return { state, sequence, holder, epoch };
}
