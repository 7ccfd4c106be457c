// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../shared/failure.ts';
import { SESSION, verify } from '../attest/verify.ts';
import type { AttestationCalls } from '../node/node.ts';
import type { World } from '../world.ts';
import { askEvidence } from './ask-evidence.ts';
import { enrolNode, type Grounds, policyWith } from './enrol-node.ts';

/**
 * Has the TPM of a node that is known by its endorsement key sign the certificate of this very session: whoever stood between would
 * have shown another one. Resolves with the key's Name; throws NODE_UNTRUSTED and what calls fail with.
 */
export async function proveSession(
  name: string,
  node: Pick<AttestationCalls, 'tpmKeys' | 'activate' | 'quote'>,
  grounds: Grounds,
  world: Pick<World, 'random' | 'clock'>,
): Promise<string> {
  const keys = await enrolNode(name, node, grounds, world);
  if ('reason' in keys) throw untrusted(name, `${keys.reason}: ${keys.found}`);
  const policy = policyWith(keys, 'sha256', undefined);
  const { evidence, challenge } = await askEvidence(node, policy.pcr_bank, world);
  const verdict = verify({ evidence, challenge, policy }, SESSION);
  if (verdict.verdict === 'REJECTED') throw untrusted(name, `${verdict.reason}: ${verdict.found}`);
  return keys.ek_name;
}

function untrusted(name: string, found: string): Failure {
  return new Failure('NODE_UNTRUSTED', `Cannot enroll ${name}: its TPM does not speak for it: ${found}`, { node: name });
}
