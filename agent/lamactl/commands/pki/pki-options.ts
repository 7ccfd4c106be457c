// SPDX-License-Identifier: Apache-2.0
import { isIP } from 'node:net';
import { InvalidArgumentError, Option } from 'commander';
import type { Office } from '../../pki/office.ts';
import type { Session } from '../session.ts';

export interface PkiOptions {
  readonly passphraseFile?: string;
}

/** --passphrase-file of every command that signs. */
export function passphraseOption(): Option {
  return new Option(
    '--passphrase-file <file>',
    "read the passphrase of the authority's key, or the PIN of its token, from a file, or /dev/fd/3 (default: ask)",
  );
}

/** Reads a name for a node or a person: it stands in certificates, file names and comma lists, and is no address. */
export function certificateName(text: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(text) || isIP(text) !== 0)
    throw new InvalidArgumentError('Say a name of letters, digits, ".", "_" and "-", which is no address.');
  return text;
}

/** The same for who gets files of that name, beside those of the authorities. */
export function clientName(text: string): string {
  if (/^(?:ca|authority-\d+)$/i.test(text)) throw new InvalidArgumentError('An authority has files of that name: say another.');
  return certificateName(text);
}

/** The authorities of the session's context. */
export async function officeOf(session: Pick<Session, 'context' | 'world'>, { passphraseFile }: PkiOptions): Promise<Office> {
  const { openOffice } = await import('../../pki/office.ts');
  return openOffice({ context: session.context, passphraseFile }, session.world);
}
