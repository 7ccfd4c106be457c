// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../shared/failure.ts';
import type { Challenge } from './challenge.ts';
import { EXPECTATION_CHECKS } from './check/expectations.ts';
import type { BootFacts, Check, QuoteFacts } from './check/facts.ts';
import { IDENTITY_CHECKS } from './check/identity.ts';
import { LOG_CHECKS } from './check/log.ts';
import { QUOTE_CHECKS } from './check/quote.ts';
import { readEventLog } from './event-log/event-log.ts';
import type { Evidence } from './evidence.ts';
import { readImaLog } from './ima-log.ts';
import type { Policy } from './policy.ts';
import { readAttest } from './tpm/attest.ts';
import { readPublic } from './tpm/public-area.ts';
import { readSignature } from './tpm/signature.ts';
import { readUserspaceLog } from './userspace-log.ts';
import { type Rejection, rejected, type Verdict } from './verdict.ts';

export interface Question {
  readonly evidence: Evidence;
  readonly challenge: Challenge;
  readonly policy: Policy;
}

/** The checks in their order. The first that says no decides; the logs are not even read before the quote is believed. */
export interface Checks {
  readonly quote: readonly Check<QuoteFacts>[];
  readonly boot: readonly Check<BootFacts>[];
}

export const CHECKS: Checks = {
  quote: [...IDENTITY_CHECKS, ...QUOTE_CHECKS],
  boot: [...LOG_CHECKS, ...EXPECTATION_CHECKS],
};

/** Whether a node says the truth, whatever it is: all but what is expected of it. */
export const TRUTH: Checks = { quote: CHECKS.quote, boot: LOG_CHECKS };

/** Whether the TPM of the known keys speaks in this very session, whatever the node runs. */
export const SESSION: Checks = { quote: CHECKS.quote, boot: [] };

/** Judges what a node says of itself. It throws nothing that evidence could bring about. */
export function verify(question: Question, checks: Checks = CHECKS): Verdict {
  const rejection = reject(question, checks);
  if (!rejection) return trusted(question.policy);
  const { policy } = question;
  // The values of one image go together: a node with PCR 4 of one and PCR 11 of the other runs neither.
  if (rejection.reason === 'pcr-value' && policy.previous) {
    const before = { ...policy, pcrs: { ...policy.pcrs, ...policy.previous } };
    const other = reject({ ...question, policy: before }, checks);
    if (!other) return { ...trusted(before), image: 'previous' };
    // It has the values of that image, and something else is wrong.
    if (other.reason !== 'pcr-value') return { verdict: 'REJECTED', ...other };
  }
  return { verdict: 'REJECTED', ...rejection };
}

function trusted(policy: Policy) {
  const believed = firstUse(policy);
  return believed.length > 0 ? ({ verdict: 'TRUSTED (first use)', believed } as const) : ({ verdict: 'TRUSTED' } as const);
}

function reject(question: Question, checks: Checks): Rejection | undefined {
  try {
    const quote = readQuote(question);
    return firstOf(checks.quote, quote) ?? (checks.boot.length > 0 ? firstOf(checks.boot, readBoot(quote)) : undefined);
  } catch (thrown) {
    if (thrown instanceof Failure && thrown.code === 'EVIDENCE_INVALID') return rejected('malformed', thrown.message);
    throw thrown;
  }
}

function firstOf<Facts>(checks: readonly Check<Facts>[], facts: Facts): Rejection | undefined {
  for (const check of checks) {
    const rejection = check(facts);
    if (rejection) return rejection;
  }
  return undefined;
}

function readQuote(question: Question): QuoteFacts {
  const { ek_public, ak_public, attest, signature } = question.evidence;
  return {
    ...question,
    ek: readPublic(ek_public, 'the endorsement key'),
    ak: readPublic(ak_public, 'the attestation key'),
    attest: readAttest(attest),
    signature: readSignature(signature),
  };
}

function readBoot(quote: QuoteFacts): BootFacts {
  const { evidence, challenge } = quote;
  return {
    ...quote,
    eventLog: readEventLog(evidence.event_log),
    userspaceEvents: readUserspaceLog(evidence.userspace_log, challenge.bank),
    imaEntries: readImaLog(evidence.ima_log),
  };
}

function firstUse({ ek_trust, pcrs }: Policy): readonly string[] {
  const pinned = Object.entries(pcrs).filter(([, { from }]) => from === 'first-use');
  return [...(ek_trust === 'first-use' ? ['endorsement key'] : []), ...pinned.map(([pcr]) => `PCR ${pcr}`)];
}
