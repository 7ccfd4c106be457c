// SPDX-License-Identifier: Apache-2.0
import { readFile, stat } from 'node:fs/promises';
import { Failure } from '../../shared/failure.ts';
import { checkIdentity, type Identity } from '../../shared/tls.ts';
import type { FleetContext } from './context-file.ts';

/** Permission bits of the group and of everyone else. */
const OTHERS = 0o077;

/** Reads and checks the certificates and the key of a context. Throws CONFIG_INVALID with the file. */
export async function readIdentity(context: FleetContext): Promise<Identity> {
  await refuseSharedKey(context.key);
  const [ca, certificate, key] = await Promise.all([context.ca, context.certificate, context.key].map(read));
  const identity = { ca: ca!, certificate: certificate!, key: key! };
  checkIdentity(identity, `context "${context.name}"`);
  return identity;
}

/** A key that others can read is no longer a secret; ssh refuses it for the same reason. */
async function refuseSharedKey(file: string): Promise<void> {
  const { mode } = await explained(file, stat(file));
  if ((mode & OTHERS) === 0) return;
  const octal = (mode & 0o777).toString(8).padStart(4, '0');
  throw new Failure('CONFIG_INVALID', `Cannot use the private key ${file}: its mode ${octal} opens it to others; run "chmod 600 ${file}"`, {
    file,
  });
}

function read(file: string): Promise<Buffer> {
  return explained(file, readFile(file));
}

async function explained<T>(file: string, access: Promise<T>): Promise<T> {
  try {
    return await access;
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'it does not exist' : (error as Error).message;
    throw new Failure('CONFIG_INVALID', `Cannot read ${file}: ${reason}`, { file }, { cause: error });
  }
}
