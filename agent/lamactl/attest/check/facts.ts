// SPDX-License-Identifier: Apache-2.0
import type { Challenge } from '../challenge.ts';
import type { EventLog } from '../event-log/event-log.ts';
import type { Evidence } from '../evidence.ts';
import type { ImaEntry } from '../ima-log.ts';
import type { Policy } from '../policy.ts';
import type { Attest, QuoteInfo } from '../tpm/attest.ts';
import type { PublicArea } from '../tpm/public-area.ts';
import type { Signature } from '../tpm/signature.ts';
import type { UserspaceEvent } from '../userspace-log.ts';
import type { Rejection } from '../verdict.ts';

/** The evidence, read but not believed, with what it must answer and agree with. */
export interface QuoteFacts {
  readonly evidence: Evidence;
  readonly challenge: Challenge;
  readonly policy: Policy;
  readonly ek: PublicArea;
  readonly ak: PublicArea;
  readonly attest: Attest;
  readonly signature: Signature;
}

/** The logs, read once the quote was believed. */
export interface BootFacts extends QuoteFacts {
  readonly eventLog: EventLog;
  readonly userspaceEvents: readonly UserspaceEvent[];
  readonly imaEntries: readonly ImaEntry[];
}

/** One thing that must hold. It says why it doesn't, or nothing. */
export type Check<Facts> = (facts: Facts) => Rejection | undefined;

export function quoted({ attest }: QuoteFacts): QuoteInfo {
  return attest.quote ?? { selections: [], digest: Buffer.alloc(0) };
}

/** The quoted value of a PCR: an empty one if there is none. */
export function quotedPcr({ evidence }: QuoteFacts, pcr: number): Buffer {
  return evidence.pcr_values[String(pcr)] ?? Buffer.alloc(0);
}
