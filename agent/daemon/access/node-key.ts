// SPDX-License-Identifier: Apache-2.0
import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../../shared/failure.ts';
import { writeDurably } from '../files/durable-file.ts';

/** The node's own key (P-256), made at the first start. It is written for the agent alone, and never leaves the node. */
export async function nodeKey(folder: string): Promise<KeyObject> {
  const path = join(folder, 'node.key');
  try {
    return await readKey(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw unusable(path, error as Error);
  }
  try {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    await writeDurably(path, privateKey.export({ type: 'pkcs8', format: 'pem' }), 0o600);
    return privateKey;
  } catch (error) {
    throw unusable(path, error as Error);
  }
}

async function readKey(path: string): Promise<KeyObject> {
  const key = createPrivateKey(await readFile(path));
  if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') throw new Error('it is not ECDSA P-256');
  return key;
}

function unusable(path: string, error: Error): Failure {
  return new Failure('CONFIG_INVALID', `Cannot use the node's key ${path}: ${error.message}`, {}, { cause: error });
}
