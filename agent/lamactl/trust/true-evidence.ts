// SPDX-License-Identifier: Apache-2.0
import type { Evidence } from '../attest/evidence.ts';
import type { Policy } from '../attest/policy.ts';
import type { Rejection } from '../attest/verdict.ts';
import { TRUTH, verify } from '../attest/verify.ts';
import type { NodeConnection } from '../node/node.ts';
import type { World } from '../world.ts';
import { askEvidence } from './ask-evidence.ts';
import { whenFree } from './when-free.ts';

/** What the TPM of an enrolled node says of this boot, whatever it runs, or why that does not hold. Throws what calls fail with. */
export async function trueEvidence(
  node: NodeConnection,
  policy: Policy,
  world: Pick<World, 'random' | 'clock'>,
): Promise<Evidence | Rejection> {
  const { evidence, challenge } = await whenFree(world, () => askEvidence(node, policy.pcr_bank, world));
  const verdict = verify({ evidence, challenge, policy }, TRUTH);
  return verdict.verdict === 'REJECTED' ? verdict : evidence;
}
