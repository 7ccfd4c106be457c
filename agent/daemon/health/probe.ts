// SPDX-License-Identifier: Apache-2.0
import type { LeafCondition } from './check.ts';

/** What one look at the node showed. */
export interface Observation {
  readonly holds: boolean;
  /** What was found, as a sentence: `unit "k3s.service" is failed`. */
  readonly detail: string;
}

/** Looks once whether a condition holds. Throws only when it could not look; the signal ends the looking. */
export type Probe<T extends LeafCondition = LeafCondition> = (condition: T, signal: AbortSignal) => Promise<Observation>;

/** The port to the node: one probe for each kind of condition. */
export type Probes = { readonly [K in LeafCondition['type']]: Probe<Extract<LeafCondition, { type: K }>> };
