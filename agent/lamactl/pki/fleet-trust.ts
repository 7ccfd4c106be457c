// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../shared/failure.ts';
import { pemBlocks } from '../../shared/pem.ts';
import { readContext } from '../contexts/context-file.ts';
import { readIdentity } from '../contexts/identity-files.ts';
import { selectTargets } from '../contexts/selection.ts';
import { type Answer, ask } from '../fleet/ask.ts';
import type { Target } from '../node/node.ts';
import type { NodeTrust, Trust } from '../node/node-access.ts';
import type { World } from '../world.ts';
import type { Office } from './office.ts';

/** Every node of the office's context, with the certificates of now. Throws CONFIG_INVALID. */
export async function everyNode({ contextFile, context }: Pick<Office, 'contextFile' | 'context'>): Promise<readonly Target[]> {
  const found = await readContext(contextFile, context);
  if (Object.keys(found.nodes).length === 0) return [];
  return selectTargets({ nodes: [], all: true }, found, await readIdentity(found));
}

/** Has every node trust exactly this, and say so itself afterwards; one that does already is left alone. */
export function applyTrust(
  world: Pick<World, 'connect'>,
  targets: readonly Target[],
  trust: Trust,
  timeoutMs: number,
): Promise<readonly Answer<NodeTrust>[]> {
  return ask(targets, world.connect, { timeoutMs }, async (node, { name }) => {
    const before = await node.trust();
    if (isSame(before.trust, trust)) return before;
    await node.setTrust(trust, before.version);
    const after = await node.trust();
    if (isSame(after.trust, trust)) return after;
    throw new Failure('TRUST_CHANGED', `Cannot change the trust of ${name}: it says that it trusts something else`, { node: name });
  });
}

function isSame(a: Trust, b: Trust): boolean {
  return (
    isSameSet(pemBlocks(a.authorities, 'CERTIFICATE'), pemBlocks(b.authorities, 'CERTIFICATE')) &&
    isSameSet(pemBlocks(a.revocationLists, 'X509 CRL'), pemBlocks(b.revocationLists, 'X509 CRL'))
  );
}

/** However their lines are broken. */
function isSameSet(a: readonly string[], b: readonly string[]): boolean {
  const [ours, theirs] = [a, b].map((blocks) => new Set(blocks.map((block) => block.replace(/\s/g, ''))));
  return ours!.size === theirs!.size && [...ours!].every((each) => theirs!.has(each));
}
