// SPDX-License-Identifier: Apache-2.0
import { pemBlocks } from '../../shared/pem.ts';
import { contextIfThere } from '../contexts/context-file.ts';
import { readIfThere } from '../whole-file.ts';
import type { Office } from './office.ts';
import type { KeptAuthority } from './registry.ts';

/** As much of an authority as tells whom it issued a certificate to. */
export type KnownAuthority = Pick<KeptAuthority, 'certificate'>;

/** By whose certificates nodes are known as one's own: those of the registry, and those of the context where that is on another machine. */
export async function knownAuthorities({ registry, contextFile, context }: Office): Promise<readonly KnownAuthority[]> {
  const kept = (await registry.readIfThere())?.authorities ?? [];
  const found = await contextIfThere(contextFile, context);
  const trusted = found ? pemBlocks((await readIfThere(found.ca)) ?? '', 'CERTIFICATE') : [];
  return [...kept, ...trusted.map((certificate) => ({ certificate }))];
}
