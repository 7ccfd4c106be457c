// SPDX-License-Identifier: Apache-2.0
import { stat } from 'node:fs/promises';
import type { Identity } from '../../shared/tls.ts';
import type { FleetContext } from '../contexts/context-file.ts';
import { readIdentity } from '../contexts/identity-files.ts';
import type { Connect } from '../node/node.ts';

/**
 * The certificates that the context's files hold at the moment, for commands that outlive them: a rotation of authorities changes
 * what nodes show and take. Files that cannot be used leave it with those of before. Throws CONFIG_INVALID.
 */
export function identityAsNow(context: FleetContext): () => Promise<Identity> {
  let seen = '';
  let current: Promise<Identity> | undefined;
  return async () => {
    const now = await stateOf(context);
    if (now !== seen || !current) {
      const before = current;
      seen = now;
      current = before ? readIdentity(context).catch(() => before) : readIdentity(context);
      // Whoever asks hears of it.
      current.catch(() => undefined);
    }
    return current;
  };
}

/** Opens nodes with the certificates of the moment. */
export function connectAsNow(connect: Connect, context: FleetContext): Connect {
  const identity = identityAsNow(context);
  return async (target, options) => connect({ ...target, identity: await identity().catch(() => target.identity) }, options);
}

/** Changes whenever one of the files is written. */
async function stateOf({ ca, certificate, key }: FleetContext): Promise<string> {
  const files = [ca, certificate, key].map((file) => stat(file).catch(() => undefined));
  return (await Promise.all(files)).map((found) => (found ? `${found.ino} ${found.mtimeMs} ${found.size}` : '')).join('\n');
}
