// SPDX-License-Identifier: Apache-2.0
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { Failure } from '../../shared/failure.ts';
import { keepContext } from '../contexts/context-edit.ts';
import { contextIfThere } from '../contexts/context-file.ts';
import { readIfThere, writeWhole } from '../whole-file.ts';
import { issueRecorded } from './issue-recorded.ts';
import { makeAuthority } from './issuing.ts';
import { authoritiesFile, keepTrust, type Office, ownFiles } from './office.ts';
import type { Registry } from './registry.ts';

export interface Foundation {
  /** What certificates call the authority, before its number. */
  readonly name: string;
  /** The administrator, as the audit logs of nodes will call them. */
  readonly admin: string;
  /** The PKCS#11 URI of the authority's key; without it one is made, and kept encrypted. */
  readonly token?: string;
}

/**
 * Makes a context's authority, the administrator's certificate, and the context. Whatever of it was made before stays, so that what
 * was interrupted can be gone on with. Throws INVALID_REQUEST when all of it is there, and CONFIG_INVALID.
 */
export async function found(office: Office, { name, admin, token }: Foundation): Promise<Registry> {
  const { registry: file, keys, world, contextFile, context } = office;
  let registry = await file.readIfThere();
  if (await contextIfThere(contextFile, context)) {
    const who = registry ? 'an authority already' : 'certificates of another authority already; choose another name with --context';
    throw new Failure('INVALID_REQUEST', `Cannot make an authority: context "${context}" has ${who}`);
  }
  if (!registry) {
    registry = { schema: 1, signing: 1, authorities: [await makeAuthority(keys, name, 1, token, world)], issued: [] };
    await file.create(registry);
  }
  const own = ownFiles(office, admin);
  const key = await ownKey(own.key);
  const { certificate } = await issueRecorded(office, { kind: 'client', name: admin, role: 'admin' }, createPublicKey(key));
  await writeWhole(own.certificate, certificate);
  await keepTrust(office);
  await keepContext(contextFile, context, { ca: authoritiesFile(office), ...own });
  return file.read();
}

function readKey(text: string, path: string): KeyObject {
  try {
    return createPrivateKey(text);
  } catch (error) {
    throw new Failure('CONFIG_INVALID', `Cannot use ${path}: it is there, and no key that can be read`, { file: path }, { cause: error });
  }
}

/** The key (P-256) in a file, made where there is none. */
export async function ownKey(path: string): Promise<KeyObject> {
  const text = await readIfThere(path);
  if (text !== undefined) return readKey(text, path);
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  await writeWhole(path, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
  return privateKey;
}
