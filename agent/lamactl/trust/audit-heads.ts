// SPDX-License-Identifier: Apache-2.0
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import * as v from 'valibot';
import { parseConfig } from '../../shared/config-file.ts';
import { contextFilePath, readContext } from '../contexts/context-file.ts';
import { readIfThere, writeWhole } from '../whole-file.ts';

const Head = v.strictObject({
  /** The hash of the last entry of the log, when it was last seen whole. */
  head: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
  /** When that was, by lamactl's clock. */
  seen_at: v.string(),
});

export type KnownHead = v.InferOutput<typeof Head>;

/**
 * How far the audit log of each node of a context was seen: whoever is root on a node can write its log anew, or cut it off, and what
 * lamactl remembers shows that. In the folder audit/<context> beside the context file.
 */
export class AuditHeads {
  constructor(private readonly folder: string) {}

  /** Undefined when the log of the node was never seen. Throws CONFIG_INVALID. */
  async of(node: string): Promise<KnownHead | undefined> {
    const text = await readIfThere(this.#file(node));
    return text === undefined ? undefined : parseConfig(Head, text, this.#file(node));
  }

  /** Throws CONFIG_INVALID. */
  async keep(node: string, head: string, nowMs: number): Promise<void> {
    const known: KnownHead = { head, seen_at: new Date(nowMs).toISOString() };
    await writeWhole(this.#file(node), `${JSON.stringify(known)}\n`);
  }

  /** Of a node that begins anew. */
  async forget(node: string): Promise<void> {
    await rm(this.#file(node), { force: true });
  }

  #file(node: string): string {
    return join(this.folder, `${node}.json`);
  }
}

/** Throws CONFIG_INVALID when there is no such context. */
export async function openAuditHeads(
  context: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
  homeDirectory: string,
): Promise<AuditHeads> {
  const file = contextFilePath(env, homeDirectory);
  return new AuditHeads(join(dirname(file), 'audit', (await readContext(file, context)).name));
}
