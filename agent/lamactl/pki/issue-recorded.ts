// SPDX-License-Identifier: Apache-2.0
import type { KeyObject } from 'node:crypto';
import { issue, type Subject } from './issuing.ts';
import type { Office } from './office.ts';
import { authorityOf, type Issued } from './registry.ts';

/**
 * Issues a certificate by the authority that signs now, or by the one with an id. It is on record before anybody gets it: what was given
 * away must be known, to be revoked. Throws CONFIG_INVALID, and what asking for a passphrase fails with.
 */
export async function issueRecorded(
  { registry: file, keys, world }: Office,
  subject: Subject,
  key: KeyObject,
  by?: number,
): Promise<Issued> {
  const { authorities, signing } = await file.read();
  // While somebody is asked for a passphrase, no other lamactl has to wait.
  await keys.open(authorityOf(authorities, by ?? signing));
  return file.change(async (registry) => {
    const { issued, ...made } = await issue(registry, keys, subject, key, world, authorityOf(registry.authorities, by ?? registry.signing));
    return { ...made, result: issued };
  });
}
