// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../shared/failure.ts';
import type { Evidence } from '../attest/evidence.ts';
import type { Policy } from '../attest/policy.ts';
import { rejected, type Verdict } from '../attest/verdict.ts';
import { verify } from '../attest/verify.ts';
import type { NodeConnection } from '../fleet/node.ts';
import { printable } from '../fleet/printable.ts';
import type { World } from '../world.ts';
import { askEvidence } from './ask-evidence.ts';
import type { ExpectationStore } from './expectation-store.ts';

/** What became of the question whether a node can be trusted. */
export interface Attestation {
  readonly verdict: Verdict;
  /** What the verdict rests on, where the node gave any. */
  readonly evidence?: Evidence;
  readonly policy?: Policy;
  /** Why there is no evidence. */
  readonly failure?: Failure;
  /** When, in RFC 3339. */
  readonly time: string;
}

export interface AttestParts {
  readonly world: Pick<World, 'random' | 'clock'>;
  readonly store: ExpectationStore;
  /** What is expected in the place of what the store says. */
  readonly expect?: (policy: Policy) => Policy;
}

/** Asks a node for evidence and judges it. Never throws; whatever goes wrong, the verdict is none that is fine. */
export async function attestNode(name: string, connect: () => Promise<NodeConnection>, parts: AttestParts): Promise<Attestation> {
  const time = new Date(parts.world.clock.now()).toISOString();
  try {
    return { ...(await judge(name, connect, parts)), time };
  } catch (thrown) {
    const failure = Failure.from(thrown);
    return { verdict: verdictOfFailure(failure), failure, time };
  }
}

async function judge(
  name: string,
  connect: () => Promise<NodeConnection>,
  { world, store, expect }: AttestParts,
): Promise<Omit<Attestation, 'time'>> {
  const known = await store.policy(name);
  if (!known)
    return { verdict: { verdict: 'UNKNOWN', found: `nothing is known of its keys: enroll it with "lamactl attest enroll -n ${name}"` } };
  const policy = expect?.(known) ?? known;
  const node = await connect();
  try {
    const { evidence, challenge } = await askEvidence(node, policy.pcr_bank, world);
    const verdict = printableVerdict(verify({ evidence, challenge, policy }));
    await store.keepVerdict(name, verdict, evidence);
    return { verdict, evidence, policy };
  } finally {
    node.close();
  }
}

/** A node that sends rubbish lies; one that has no TPM proves nothing; of any other that does not answer nothing is known. */
function verdictOfFailure({ code, message }: Failure): Verdict {
  if (code === 'EVIDENCE_INVALID') return { verdict: 'REJECTED', ...rejected('malformed', message) };
  if (code === 'TPM_MISSING') return { verdict: 'UNATTESTED', found: message };
  return { verdict: 'UNKNOWN', found: message };
}

/** Paths and names in a verdict come out of the node's logs. */
function printableVerdict(verdict: Verdict): Verdict {
  return 'found' in verdict ? { ...verdict, found: printable(verdict.found) } : verdict;
}
