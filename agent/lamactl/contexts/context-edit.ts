// SPDX-License-Identifier: Apache-2.0
import { dirname, relative } from 'node:path';
import { parseDocument } from 'yaml';
import { Failure } from '../../shared/failure.ts';
import { lockFile } from '../file-lock.ts';
import { makeFolderOf, readIfThere, writeWhole } from '../whole-file.ts';
import { parseContextFile } from './context-file.ts';

export interface NewNode {
  readonly address: string;
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * Adds a node to a context, or gives it another address and labels, and the name of its entry in its certificate; comments and order stay.
 * Throws CONFIG_INVALID.
 */
export async function keepNode(file: string, context: string, name: string, { address, labels }: NewNode): Promise<void> {
  const entry = { address, ...(Object.keys(labels).length > 0 && { labels }) };
  await edit(file, (document) => {
    const kept = document.getIn(['contexts', context, 'nodes', name]);
    const { name: _, ...before } = isMap(kept) ? (kept.toJSON() as Record<string, unknown>) : {};
    const node = document.createNode({ ...before, ...entry }, { flow: true });
    document.setIn(['contexts', context, 'nodes', name], node);
  });
}

export interface NewContext {
  /** Absolute paths. */
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

/** Adds a context without nodes; the first one of a file becomes the current one. Throws CONFIG_INVALID. */
export async function keepContext(file: string, context: string, files: NewContext): Promise<void> {
  const from = (path: string) => relative(dirname(file), path);
  const entry = { ca: from(files.ca), certificate: from(files.certificate), key: from(files.key), nodes: {} };
  await edit(file, (document) => {
    if (!document.has('contexts')) document.set('current-context', context);
    document.setIn(['contexts', context], document.createNode(entry));
  });
}

/** Has a context take nodes for what another file of authorities (an absolute path) says. Throws CONFIG_INVALID. */
export async function keepAuthorities(file: string, context: string, ca: string): Promise<void> {
  await edit(file, (document) => document.setIn(['contexts', context, 'ca'], relative(dirname(file), ca)));
}

type Document = ReturnType<typeof parseDocument>;

async function edit(file: string, change: (document: Document) => void): Promise<void> {
  await makeFolderOf(file);
  const unlock = await lockFile(file);
  try {
    const document = parseDocument((await readIfThere(file)) ?? '');
    change(document);
    const text = document.toString({ lineWidth: 0 });
    // Never leaves behind what the next command could not read.
    parseContextFile(text, file);
    await writeWhole(file, text);
  } finally {
    await unlock();
  }
}

function isMap(node: unknown): node is { toJSON(): unknown } {
  if (node === undefined) return false;
  if (typeof node === 'object' && node !== null && 'toJSON' in node) return true;
  throw new Failure('CONFIG_INVALID', 'Cannot change the context file: a node in it is no mapping');
}
