// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../shared/failure.ts';
import type { UrlAccess } from './node-update.ts';

/** What a command line says of the server of a URL. */
export interface UrlAccessOptions {
  /** `Name: value`, or `@file` with such lines, which keeps a secret out of the list of processes. */
  readonly header: readonly string[];
  readonly clientCertificate?: string;
  readonly clientKey?: string;
}

/** Reads the files that the options name. Undefined when they say nothing. Throws INVALID_REQUEST, and quotes no value. */
export async function readUrlAccess(
  { header, clientCertificate, clientKey }: UrlAccessOptions,
  read: (file: string) => Promise<string>,
): Promise<UrlAccess | undefined> {
  if (header.length === 0 && clientCertificate === undefined && clientKey === undefined) return undefined;
  if ((clientCertificate === undefined) !== (clientKey === undefined)) {
    throw new Failure(
      'INVALID_REQUEST',
      'Cannot use --client-certificate or --client-key: one of them is missing, and the server wants to see both',
    );
  }
  const lines: string[] = [];
  for (const text of header) lines.push(...(text.startsWith('@') ? linesOf(await read(text.slice(1))) : [text]));
  return {
    headers: lines.map(headerOf),
    clientCertificate: clientCertificate === undefined ? '' : await read(clientCertificate),
    clientKey: clientKey === undefined ? '' : await read(clientKey),
  };
}

const linesOf = (text: string): string[] => text.split(/\r?\n/).filter((line) => line.trim() !== '');

function headerOf(line: string): UrlAccess['headers'][number] {
  const colon = line.indexOf(':');
  if (colon < 1)
    throw new Failure(
      'INVALID_REQUEST',
      'Cannot use --header: one is not written "Name: value"; one that begins with @ names a file of such lines',
    );
  return { name: line.slice(0, colon).trim(), value: line.slice(colon + 1).trim() };
}
