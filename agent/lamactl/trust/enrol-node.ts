// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../shared/failure.ts';
import type { Issuers } from '../attest/certificate-chain.ts';
import { beginEnrolment, endEnrolment } from '../attest/enrolment.ts';
import type { Policy } from '../attest/policy.ts';
import type { Bank } from '../attest/tpm/algorithms.ts';
import { type Rejection, rejected } from '../attest/verdict.ts';
import type { AttestationCalls } from '../node/node.ts';
import type { World } from '../world.ts';

/** Why an endorsement key may be believed to be that of a TPM. */
export interface Grounds {
  readonly issuers: Issuers;
  /** The Name of the endorsement key, as the operator read it elsewhere: at the node's console, or from its maker. */
  readonly ekName?: string;
  /** Whether to believe it because it is seen for the first time. */
  readonly acceptNew: boolean;
}

export type EnrolledKeys = Pick<Policy, 'ek_name' | 'ak_name' | 'ek_trust'>;

/**
 * Has a node prove that both its keys are in one TPM, and tells why that TPM is believed to be one. Throws INVALID_REQUEST when
 * there is no ground to, EVIDENCE_INVALID, and what calls fail with.
 */
export async function enrolNode(
  name: string,
  node: Pick<AttestationCalls, 'tpmKeys' | 'activate'>,
  { issuers, ekName, acceptNew }: Grounds,
  { random, clock }: Pick<World, 'random' | 'clock'>,
): Promise<EnrolledKeys | Rejection> {
  const begun = beginEnrolment(await node.tpmKeys(), issuers, clock.now(), random);
  if ('reason' in begun) return begun;
  if (ekName !== undefined && ekName !== begun.ekName) return rejected('ek-untrusted', `its name is ${begun.ekName}, and not ${ekName}`);
  const ekTrust = begun.ekTrust === 'first-use' && ekName !== undefined ? 'operator' : begun.ekTrust;
  if (ekTrust === 'first-use' && !acceptNew) {
    throw new Failure(
      'INVALID_REQUEST',
      `Cannot enroll ${name}: nothing says that its endorsement key ${begun.ekName} is that of a TPM; give --ek-root or --ek-name, or believe it with --accept-new`,
      { node: name, ek_name: begun.ekName },
    );
  }
  const refusal = endEnrolment(begun, await answer(node, begun.credential));
  return refusal ?? { ek_name: begun.ekName, ak_name: begun.akName, ek_trust: ekTrust };
}

/** A TPM that refuses the credential has answered, too: it does not have the attestation key. */
async function answer(node: Pick<AttestationCalls, 'activate'>, credential: Parameters<AttestationCalls['activate']>[0]): Promise<Buffer> {
  try {
    return await node.activate(credential);
  } catch (thrown) {
    if (Failure.from(thrown).code !== 'CREDENTIAL_REFUSED') throw thrown;
    return Buffer.alloc(0);
  }
}

/** A policy that knows the keys and nothing else yet; or the one before, with new keys. Pins of another bank, and the digest of an addon in it, could never hold. */
export function policyWith(keys: EnrolledKeys, bank: Bank | undefined, before: Policy | undefined): Policy {
  if (!before) return { ...keys, pcr_bank: bank ?? 'sha256', pcrs: {}, unpinned_pcrs: [], unlogged_pcrs: [], secure_boot: 'required' };
  const renewed = { ...before, ...keys, last: undefined };
  if (bank === undefined || bank === before.pcr_bank) return renewed;
  return { ...renewed, pcr_bank: bank, pcrs: {}, previous: undefined, addon: undefined };
}
