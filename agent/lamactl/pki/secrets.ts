// SPDX-License-Identifier: Apache-2.0
import { readFile, stat } from 'node:fs/promises';
import { Failure } from '../../shared/failure.ts';
import { refuseShared } from '../contexts/identity-files.ts';
import type { World } from '../world.ts';
import type { AskSecret } from './authority-key.ts';

const SHORTEST = 8;

/**
 * Where passphrases and PINs come from: the first line of a file (/dev/fd/3 for a descriptor), or else the person at the terminal.
 * Never the command line, which every process on the machine may read. Throws INVALID_REQUEST or CONFIG_INVALID.
 */
export function secretsFrom(file: string | undefined, world: Pick<World, 'ask'>): AskSecret {
  let read: Promise<string> | undefined;
  return async (whose, isNew) => {
    if (file !== undefined) {
      // A pipe can be read once.
      read ??= firstLine(file);
      return longEnough(await read, isNew);
    }
    const secret = await asked(world, isNew ? `New passphrase of ${whose}: ` : `Passphrase of ${whose}: `);
    if (isNew && (await asked(world, 'The same again: ')) !== secret) {
      throw new Failure('INVALID_REQUEST', 'Cannot take the passphrase: the two differ');
    }
    return longEnough(secret, isNew);
  };
}

async function asked(world: Pick<World, 'ask'>, question: string): Promise<string> {
  const answer = await world.ask(question, { secret: true });
  if (answer !== undefined) return answer;
  throw new Failure('INVALID_REQUEST', 'Cannot ask for a passphrase: there is no terminal; give it with --passphrase-file');
}

async function firstLine(file: string): Promise<string> {
  try {
    const found = await stat(file);
    // A pipe or a descriptor is its owner's alone.
    if (found.isFile()) refuseShared('the passphrase file', file, found.mode);
    return (await readFile(file, 'utf8')).split(/\r?\n/, 1)[0] ?? '';
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure('CONFIG_INVALID', `Cannot read ${file}: ${(error as Error).message}`, { file }, { cause: error });
  }
}

function longEnough(secret: string, isNew: boolean): string {
  if (!isNew || secret.length >= SHORTEST) return secret;
  throw new Failure('INVALID_REQUEST', `Cannot take the passphrase: it has fewer than ${SHORTEST} characters`);
}
