// SPDX-License-Identifier: Apache-2.0
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import * as v from 'valibot';
import { Failure } from '../../shared/failure.ts';
import { printable } from '../../shared/printable.ts';
import { uuidOf } from './operation-id.ts';
import { type Plan, PlanSchema } from './plan.ts';
import { type NodeProgress, type RolloutPhase, type RolloutState, STEPS } from './state.ts';

/*
 * How a rollout is written, on the laptop and on nodes: the plan once, and a progress of a few bytes a node, for it is written
 * again with every step. Both are compressed JSON; ten thousand nodes take 30 KB.
 */

/** What a plan and a progress may be once they are unpacked: a node may be hostile. */
const MAX_UNPACKED_BYTES = 16 << 20;
/** Of so many nodes it is said why they are where they are. */
const MAX_WHYS = 200;
const MAX_WHY_LENGTH = 300;
/** One letter for each step, in the order of STEPS. */
const LETTERS = 'pidfrscuxe';
const BASE = 36;

const PHASES = ['running', 'paused', 'halted', 'aborting', 'aborted', 'undoing', 'undone', 'done'] as const satisfies RolloutPhase[];

const ProgressSchema = v.object({
  schema: v.literal(1),
  phase: v.picklist(PHASES),
  why: v.string(),
  wave: v.pipe(v.number(), v.integer(), v.minValue(0)),
  soakUntilMs: v.nullable(v.number()),
  manifestHash: v.string(),
  /** A letter for each node. */
  steps: v.string(),
  /** A digit of base 36 for each node. */
  attempts: v.string(),
  whys: v.array(v.tuple([v.number(), v.string()])),
});

export function packPlan(plan: Plan): Buffer {
  return deflateRawSync(JSON.stringify(plan));
}

/** Throws ROLLOUT_NOT_FOUND for bytes that are no plan, or not the one with this id. */
export function unpackPlan(id: string, bytes: Uint8Array): Plan {
  const plan = unpack(bytes, PlanSchema, 'plan');
  if (planIdOf(plan) !== id) throw unreadable('plan', 'it is not the one that its id says');
  return plan;
}

/** The id of a plan follows from all that it says, so that nobody can give it another meaning. */
export function planIdOf(plan: Plan): string {
  // Read by the schema, so that its keys are in one order.
  return uuidOf(JSON.stringify(v.parse(PlanSchema, { ...plan, id: '' })));
}

export function packProgress(state: RolloutState): Buffer {
  const { phase, why, wave, soakUntilMs, manifestHash, nodes } = state;
  const steps = nodes.map(({ step }) => LETTERS[STEPS.indexOf(step)]).join('');
  const attempts = nodes.map(({ attempt }) => Math.min(attempt, BASE - 1).toString(BASE)).join('');
  const whys = nodes.flatMap((node, index) => (node.why === '' ? [] : [[index, node.why.slice(0, MAX_WHY_LENGTH)]])).slice(0, MAX_WHYS);
  return deflateRawSync(JSON.stringify({ schema: 1, phase, why, wave, soakUntilMs, manifestHash, steps, attempts, whys }));
}

/** Throws ROLLOUT_NOT_FOUND for bytes that are no progress of this plan. */
export function unpackProgress(plan: Plan, bytes: Uint8Array): RolloutState {
  const { schema: _, steps, attempts, whys, ...rest } = unpack(bytes, ProgressSchema, 'progress');
  // Most of them are what nodes said.
  const reasons = new Map(whys.map(([node, why]) => [node, printable(why)]));
  const nodes = plan.nodes.map((_node, index): NodeProgress => {
    const step = STEPS[LETTERS.indexOf(steps[index] ?? '?')];
    if (step === undefined) throw unreadable('progress', 'it is of another plan');
    return { step, attempt: Number.parseInt(attempts[index] ?? '0', BASE), why: reasons.get(index) ?? '' };
  });
  return { plan, ...rest, why: printable(rest.why), rechecking: false, nodes };
}

function unpack<Schema extends v.GenericSchema>(bytes: Uint8Array, schema: Schema, what: string): v.InferOutput<Schema> {
  try {
    return v.parse(schema, JSON.parse(inflateRawSync(bytes, { maxOutputLength: MAX_UNPACKED_BYTES }).toString('utf8')));
  } catch (error) {
    throw unreadable(what, (error as Error).message);
  }
}

function unreadable(what: string, found: string): Failure {
  return new Failure('ROLLOUT_NOT_FOUND', `Cannot read the ${what} of the rollout: ${found.slice(0, MAX_WHY_LENGTH)}`);
}
