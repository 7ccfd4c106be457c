// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../../shared/failure.ts';
import type { Issuers } from '../../attest/certificate-chain.ts';
import type { Rejection } from '../../attest/verdict.ts';
import { type ExitName, exitOfFailure } from '../../exit-code.ts';
import type { Target } from '../../node/node.ts';
import { failureDocument } from '../../output/document.ts';
import type { Cell } from '../../output/table.ts';
import type { Grounds } from '../../trust/enrol-node.ts';
import { enrollOne } from '../attest/attest-enroll.ts';
import { type Session, TPM_TIMEOUT_MS } from '../session.ts';
import type { EkOptions } from './ek-options.ts';

/** What a node that joined proves of itself, and how the command ends for it. */
export interface FirstAttestation {
  readonly document: object;
  readonly cell: Cell;
  readonly why: string;
  readonly exit: ExitName;
}

/**
 * Has a node that just joined prove its keys, and with them the logs of its boot; nothing is expected of these yet. The node was
 * compared: without roots its endorsement key is believed, and shown as such.
 */
export async function firstAttestation(
  session: Session,
  target: Target,
  options: EkOptions & { readonly replace?: true },
): Promise<FirstAttestation> {
  try {
    return await attest(session, target, options);
  } catch (thrown) {
    const failure = Failure.from(thrown);
    if (failure.code === 'TPM_MISSING') {
      return {
        document: { verdict: 'UNATTESTED', found: failure.message },
        cell: { text: 'UNATTESTED', style: 'warning' },
        why: failure.message,
        exit: 'unattested',
      };
    }
    return {
      document: { verdict: 'UNKNOWN', error: failureDocument(failure) },
      cell: { text: 'UNKNOWN', style: 'bad' },
      why: failure.message,
      exit: exitOfFailure(failure),
    };
  }
}

/** Why the endorsement key of a newcomer is believed: a chain or a name that was given, or else that the node itself was compared. */
export async function groundsOf({ ekRoot, ekIntermediate, ekName }: EkOptions): Promise<Grounds> {
  const { readCertificates } = await import('../../trust/certificate-files.ts');
  const issuers: Issuers = { roots: await readCertificates(ekRoot), intermediates: await readCertificates(ekIntermediate) };
  return { issuers, acceptNew: ekRoot.length === 0 && ekName === undefined, ...(ekName !== undefined && { ekName }) };
}

async function attest(session: Session, target: Target, options: EkOptions & { readonly replace?: true }): Promise<FirstAttestation> {
  const { openExpectationStore } = await import('../../trust/expectation-store.ts');
  const grounds = await groundsOf(options);
  const { world, context, timeoutMs } = session;
  const store = await openExpectationStore(context, world.env, world.homeDirectory);
  const node = await world.connect(target, { timeoutMs: timeoutMs(TPM_TIMEOUT_MS) });
  try {
    const result = await enrollOne(world, store, target.name, node, grounds, options.replace ? { replace: true } : {});
    if ('reason' in result) return refused(result);
    const policy = await store.policy(target.name);
    const { trueEvidence } = await import('../../trust/true-evidence.ts');
    const evidence = await trueEvidence(node, policy!, world);
    if ('reason' in evidence) return refused(evidence);
    const isNew = result.ek_trust === 'first-use';
    return {
      document: result,
      cell: { text: `enrolled (${result.ek_trust})`, style: isNew ? 'warning' : 'good' },
      why: `its TPM proved the keys of ${result.ek_name}, and signed the logs of this boot`,
      exit: isNew ? 'first-use' : 'done',
    };
  } finally {
    node.close();
  }
}

const refused = (rejection: Rejection): FirstAttestation => ({
  document: { verdict: 'REJECTED', ...rejection },
  cell: { text: 'REJECTED', style: 'bad' },
  why: `${rejection.reason}: ${rejection.found}`,
  exit: 'rejected',
});
