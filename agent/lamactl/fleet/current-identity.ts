// SPDX-License-Identifier: Apache-2.0
import { stat } from 'node:fs/promises';
import type { Identity } from '../../shared/tls.ts';
import type { FleetContext } from '../contexts/context-file.ts';
import { readIdentity } from '../contexts/identity-files.ts';
import type { Connect } from '../node/node.ts';

/**
 * Opens nodes with the certificates that the context's files hold by then, for commands that outlive them: a rotation of authorities
 * changes what nodes show and take. Files that cannot be used leave it with those of before.
 */
export function connectAsNow(connect: Connect, context: FleetContext): Connect {
  let seen = '';
  let current: Promise<Identity | undefined> = Promise.resolve(undefined);
  return async (target, options) => {
    const now = await stateOf(context);
    if (now !== seen) {
      const before = current;
      [seen, current] = [now, readIdentity(context).catch(() => before)];
    }
    return connect({ ...target, identity: (await current) ?? target.identity }, options);
  };
}

/** Changes whenever one of the files is written. */
async function stateOf({ ca, certificate, key }: FleetContext): Promise<string> {
  const files = [ca, certificate, key].map((file) => stat(file).catch(() => undefined));
  return (await Promise.all(files)).map((found) => (found ? `${found.ino} ${found.mtimeMs} ${found.size}` : '')).join('\n');
}
