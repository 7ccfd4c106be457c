// SPDX-License-Identifier: Apache-2.0
import type { Failure } from '../../shared/failure.ts';
import { renderTemplate } from './jsonpath/render.ts';
import { parseTemplate, type TemplatePart } from './jsonpath/template.ts';

/** What -o takes; jsonpath=TEMPLATE as well. */
export const FORMATS = ['table', 'wide', 'json', 'jsonl', 'yaml'] as const;

/** How a document is written; a template says what of it. */
export type DocumentFormat = 'json' | 'jsonl' | 'yaml' | { readonly template: readonly TemplatePart[] };
export type Format = 'table' | DocumentFormat;

const TEMPLATE_PREFIX = 'jsonpath=';

/** Reads -o. `wide` is a table with more columns. Throws INVALID_REQUEST for a template that cannot be read. */
export function parseFormat(text: string): { readonly format: Format; readonly wide: boolean } | undefined {
  if (text.startsWith(TEMPLATE_PREFIX)) return { format: { template: parseTemplate(text.slice(TEMPLATE_PREFIX.length)) }, wide: false };
  const known = FORMATS.find((name) => name === text);
  return known && { format: known === 'wide' ? 'table' : known, wide: known === 'wide' };
}

/** A failure as lamactl prints it in a document. */
export function failureDocument({ code, message, remedy, facts }: Failure): object {
  return { code, message, remedy, facts };
}

/** One whole document for a program; of jsonl it is one line. */
export async function renderDocument(format: DocumentFormat, document: object): Promise<string> {
  if (typeof format === 'object') return withTemplate(format.template, document);
  if (format === 'jsonl') return `${JSON.stringify(document)}\n`;
  return format === 'json' ? `${JSON.stringify(document, undefined, 2)}\n` : renderYaml(document);
}

/** One of many documents, as they come: a line of JSON, or a document of a YAML stream. */
export async function renderEvent(format: DocumentFormat, document: object): Promise<string> {
  if (typeof format === 'object') return withTemplate(format.template, document);
  return format !== 'yaml' ? `${JSON.stringify(document)}\n` : `---\n${await renderYaml(document)}`;
}

async function renderYaml(document: object): Promise<string> {
  // Costs 20 ms to load, which the other formats need not pay.
  const { stringify } = await import('yaml');
  return stringify(document, { aliasDuplicateObjects: false });
}

/** Of the document as a program would read it: what is undefined is not there, a date is a text. Ends its line, unless it did so itself. */
function withTemplate(template: readonly TemplatePart[], document: object): string {
  const text = renderTemplate(template, JSON.parse(JSON.stringify(document)));
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}
