// SPDX-License-Identifier: Apache-2.0
import { stat } from 'node:fs/promises';
import { Failure } from '../../shared/failure.ts';
import { checkIdentity, type Identity } from '../../shared/tls.ts';
import { readInput } from '../input-file.ts';
import type { FleetContext } from './context-file.ts';

/** Permission bits of the group and of everyone else. */
const OTHERS = 0o077;

/** More than a chain of certificates, or a CA bundle during a rotation, needs. */
const MAX_PEM_BYTES = 1 << 20;

/** Reads and checks the certificates and the key of a context. Throws CONFIG_INVALID with the file. */
export async function readIdentity(context: FleetContext): Promise<Identity> {
  const read = (what: string, file: string) =>
    readInput(file, MAX_PEM_BYTES, {
      name: `${what} of context "${context.name}", ${file}`,
      ifMissing: 'correct its path in the context file',
    });
  const ca = await read('the CA certificate', context.ca);
  const certificate = await read('the certificate', context.certificate);
  const key = await read('the private key', context.key);
  refuseShared('the private key', context.key, (await stat(context.key)).mode);
  const identity = { ca, certificate, key };
  checkIdentity(identity, `context "${context.name}"`, context);
  return identity;
}

/** What others can read is no longer a secret; ssh refuses keys for the same reason. Throws CONFIG_INVALID. */
export function refuseShared(what: string, file: string, mode: number): void {
  if ((mode & OTHERS) === 0) return;
  const octal = (mode & 0o777).toString(8).padStart(4, '0');
  throw new Failure('CONFIG_INVALID', `Cannot use ${what} ${file}: its mode ${octal} opens it to others; run "chmod 600 ${file}"`, {
    file,
  });
}
