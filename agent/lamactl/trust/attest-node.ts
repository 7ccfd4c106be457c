// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../shared/failure.ts';
import type { Evidence } from '../attest/evidence.ts';
import type { Policy } from '../attest/policy.ts';
import { rejected, type Verdict } from '../attest/verdict.ts';
import { verify } from '../attest/verify.ts';
import type { Connect, NodeConnection, Target } from '../node/node.ts';
import type { World } from '../world.ts';
import { askEvidence } from './ask-evidence.ts';
import type { ExpectationStore } from './expectation-store.ts';
import { whenFree } from './when-free.ts';

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
  readonly connect: Connect;
  readonly store: ExpectationStore;
  /** Of all that is asked of the node together: one that is slow holds up no verdict on another. */
  readonly timeoutMs: number;
  /** What is expected in the place of what the store says. */
  readonly expect?: (policy: Policy) => Policy;
}

/** Asks a node for evidence and judges it. Never throws; whatever goes wrong, the verdict is none that is fine. */
export async function attestNode(target: Target, parts: AttestParts): Promise<Attestation> {
  const time = new Date(parts.world.clock.now()).toISOString();
  try {
    return { ...(await judge(target, parts)), time };
  } catch (thrown) {
    const failure = Failure.from(thrown);
    return { verdict: verdictOfFailure(failure), failure, time };
  }
}

async function judge(target: Target, { world, connect, store, timeoutMs, expect }: AttestParts): Promise<Omit<Attestation, 'time'>> {
  const { name } = target;
  const known = await store.policy(name);
  const node = await connect(target, { timeoutMs, inAllMs: timeoutMs });
  try {
    if (!known) return await judgeStranger(name, node, world);
    const policy = expect?.(known) ?? known;
    const { evidence, challenge } = await whenFree(world, () => askEvidence(node, policy.pcr_bank, world));
    const verdict = verify({ evidence, challenge, policy });
    await store.keepVerdict(name, verdict, evidence);
    return { verdict, evidence, policy };
  } catch (thrown) {
    const failure = Failure.from(thrown);
    if (!known || failure.code !== 'TPM_MISSING') throw failure;
    // It had one when it was enrolled: whoever is root there only needs to say that it is gone.
    return { verdict: { verdict: 'REJECTED', ...rejected('tpm-gone', failure.message) }, failure };
  } finally {
    node.close();
  }
}

/** Of a node that was never enrolled it can only be told whether it has a TPM at all. Throws TPM_MISSING when it says that it has none. */
async function judgeStranger(name: string, node: NodeConnection, world: Pick<World, 'clock'>): Promise<Omit<Attestation, 'time'>> {
  await whenFree(world, () => node.tpmKeys());
  return { verdict: { verdict: 'UNKNOWN', found: `nothing is known of its keys: enroll it with "lamactl attest enroll -n ${name}"` } };
}

/** A node that sends rubbish lies; one that has no TPM proves nothing; of any other that does not answer nothing is known. */
function verdictOfFailure({ code, message }: Failure): Verdict {
  if (code === 'EVIDENCE_INVALID') return { verdict: 'REJECTED', ...rejected('malformed', message) };
  if (code === 'TPM_MISSING') return { verdict: 'UNATTESTED', found: message };
  return { verdict: 'UNKNOWN', found: message };
}
