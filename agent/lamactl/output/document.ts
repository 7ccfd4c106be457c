// SPDX-License-Identifier: Apache-2.0
import type { Failure } from '../../shared/failure.ts';

export const FORMATS = ['table', 'json', 'yaml'] as const;
export type Format = (typeof FORMATS)[number];

/** A failure as lamactl prints it in a document. */
export function failureDocument({ code, message, remedy, facts }: Failure): object {
  return { code, message, remedy, facts };
}

/** One whole document for a program. */
export async function renderDocument(format: 'json' | 'yaml', document: object): Promise<string> {
  return format === 'json' ? `${JSON.stringify(document, undefined, 2)}\n` : renderYaml(document);
}

/** One of many documents, as they come: a line of JSON, or a document of a YAML stream. */
export async function renderEvent(format: 'json' | 'yaml', document: object): Promise<string> {
  return format === 'json' ? `${JSON.stringify(document)}\n` : `---\n${await renderYaml(document)}`;
}

async function renderYaml(document: object): Promise<string> {
  // Costs 20 ms to load, which the other formats need not pay.
  const { stringify } = await import('yaml');
  return stringify(document, { aliasDuplicateObjects: false });
}
