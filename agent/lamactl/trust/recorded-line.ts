// SPDX-License-Identifier: Apache-2.0

import * as v from 'valibot';
import { parsedJson } from '../../shared/json.ts';
import { type Evidence, evidenceIn } from '../attest/evidence.ts';
import { type Policy, policyIn } from '../attest/policy.ts';
import type { Verdict } from '../attest/verdict.ts';

/** Reasons are words, whatever a later lamactl calls them; what else it says of a verdict is left out. */
const verdict = v.variant('verdict', [
  v.object({ verdict: v.literal('TRUSTED'), image: v.optional(v.literal('previous')) }),
  v.object({ verdict: v.literal('TRUSTED (first use)'), believed: v.array(v.string()), image: v.optional(v.literal('previous')) }),
  v.object({
    verdict: v.literal('REJECTED'),
    reason: v.string(),
    found: v.string(),
    pcr: v.optional(v.number()),
    event: v.optional(v.string()),
  }),
  v.object({ verdict: v.literal('UNATTESTED'), found: v.string() }),
  v.object({ verdict: v.literal('UNKNOWN'), found: v.string() }),
]);

const schema = v.strictObject({
  /** SHA-256 of the line before, without its end. */
  previous: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
  node: v.string(),
  time: v.pipe(v.string(), v.isoTimestamp()),
  verdict,
  /** Both are there whenever the node gave evidence that could be read. */
  evidence: v.optional(v.unknown()),
  policy: v.optional(v.unknown()),
});

export type RecordedLine = v.InferOutput<typeof schema>;

/** A line that can be judged again: what its verdict rests on is there, unless that is one that rests on nothing. Undefined of any other. */
export function readLine(text: string): RecordedLine | undefined {
  const { success, output } = v.safeParse(schema, parsedJson(text));
  if (!success) return undefined;
  const isWhole = output.evidence !== undefined && output.policy !== undefined;
  return isWhole || restsOnNothing(output.verdict) ? output : undefined;
}

/** What is told of a node. */
export interface Told {
  readonly node: string;
  readonly time: string;
  readonly verdict: Verdict;
  readonly evidence?: Evidence;
  readonly policy?: Policy;
}

/** Throws EVIDENCE_INVALID. */
export function toldBy({ node, time, evidence, policy, ...line }: RecordedLine): Told {
  return {
    node,
    time,
    verdict: line.verdict as Verdict,
    ...(evidence !== undefined && { evidence: evidenceIn(evidence) }),
    ...(policy !== undefined && { policy: policyIn(policy) }),
  };
}

/** Of a node that did not answer, has no TPM, or sent what cannot be read. */
function restsOnNothing(verdict: RecordedLine['verdict']): boolean {
  if (verdict.verdict === 'REJECTED') return verdict.reason === 'malformed' || verdict.reason === 'tpm-gone';
  return verdict.verdict === 'UNATTESTED' || verdict.verdict === 'UNKNOWN';
}
