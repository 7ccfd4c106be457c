// SPDX-License-Identifier: Apache-2.0
import { abortScope } from '../timing/abort-scope.ts';
import { abortable } from '../timing/abortable.ts';
import type { CompositeCondition, Condition, LeafCondition } from './check.ts';
import type { Observation, Probe, Probes } from './probe.ts';

/**
 * Looks once whether a condition holds. Rejects with the signal's reason as soon as it is aborted, whether or not the probes heed
 * it, and with the probe's own error when a condition that is no part of another could not be looked at.
 */
export async function evaluate(condition: Condition, probes: Probes, signal: AbortSignal): Promise<Observation> {
  if (condition.type === 'all-of' || condition.type === 'any-of') return evaluateParts(condition, probes, signal);
  const probe = probes[condition.type] as Probe<LeafCondition>;
  return abortable(probe(condition, signal), signal);
}

/** Looks at all parts at once. The first that fails decides `all-of`, the first that holds `any-of`; the others are stopped then. */
function evaluateParts({ type, conditions }: CompositeCondition, probes: Probes, signal: AbortSignal): Promise<Observation> {
  return abortScope(signal, async (scope) => {
    const looks = conditions.map((part) => evaluate(part, probes, scope.signal).catch(asNotHolding));
    const decision = await firstWhere(looks, ({ holds }) => holds === (type === 'any-of'));
    signal.throwIfAborted();
    return decision ?? { holds: type === 'all-of', detail: (await Promise.all(looks)).map(({ detail }) => detail).join('; ') };
  });
}

/** The first value that is wanted, in the order in which they come; undefined when all have come and none was. */
function firstWhere<T>(promises: readonly Promise<T>[], wanted: (value: T) => boolean): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const heard = promises.map(async (promise) => {
      const value = await promise;
      if (wanted(value)) resolve(value);
    });
    Promise.all(heard).then(() => resolve(undefined), reject);
  });
}

/** A part that nobody could look at must not keep its neighbours from deciding. */
function asNotHolding(thrown: unknown): Observation {
  return { holds: false, detail: thrown instanceof Error ? thrown.message : String(thrown) };
}
