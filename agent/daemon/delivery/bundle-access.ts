// SPDX-License-Identifier: Apache-2.0
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { Failure } from '../../shared/failure.ts';
import { writeDurably } from '../files/durable-file.ts';

const text = v.string();
const BundleAccessSchema = v.object({ headers: v.record(text, text), certificate: text, key: text, query: v.optional(text, '') });

/** What the server of a bundle wants to see: secrets, so they go to its own origin, and into no journal, log or answer. */
export type BundleAccess = v.InferOutput<typeof BundleAccessSchema>;

export const NO_ACCESS: BundleAccess = { headers: {}, certificate: '', key: '', query: '' };

/** Keeps the access of each operation for as long as the operation lasts: readable by the agent alone, through restarts. */
export class BundleAccessStore {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async keep(operationId: string, access: BundleAccess): Promise<void> {
    try {
      await mkdir(this.#folder, { recursive: true, mode: 0o700 });
      await writeDurably(this.#file(operationId), JSON.stringify(access), 0o600);
    } catch (error) {
      const message = `Cannot keep what the bundle's server wants to see: ${(error as Error).message}`;
      throw new Failure('JOURNAL_UNWRITABLE', message, {}, { cause: error });
    }
  }

  /** What was kept for the operation; nothing where nothing was. */
  async of(operationId: string): Promise<BundleAccess> {
    try {
      return v.parse(BundleAccessSchema, JSON.parse(await readFile(this.#file(operationId), 'utf8')));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return NO_ACCESS;
      // Its text could quote the file.
      throw new Failure('JOURNAL_UNREADABLE', "Cannot read what the bundle's server wants to see: the file is damaged");
    }
  }

  async forget(operationId: string): Promise<void> {
    await rm(this.#file(operationId), { force: true });
  }

  /** No operation needs a bundle any longer. */
  async clear(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }

  #file(operationId: string): string {
    return join(this.#folder, `${operationId}.json`);
  }
}
