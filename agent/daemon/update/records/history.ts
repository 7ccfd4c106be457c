// SPDX-License-Identifier: Apache-2.0
import { mkdir, readdir, readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { Failure } from '../../../shared/failure.ts';
import { writeDurably } from '../../files/durable-file.ts';
import { type EndedUpdate, isEnded, UpdateStateSchema } from '../life/state.ts';
import { type FailedVersion, failedVersion, showsBadVersion } from './failed-version.ts';

const KEPT = 100;

const versionOf = (update: EndedUpdate): string => update.bundle?.version ?? '';

export interface HistoryPage {
  readonly updates: readonly EndedUpdate[];
  /** Names the page after this one; empty when this is the last. */
  readonly next: string;
}

/** Ended updates, one file each, newest first; the oldest go when there are more than a hundred. */
export class History {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = join(folder, 'history');
  }

  /** Writing the same update again, because its boot's log came later or the agent was restarted, replaces it. */
  async keep(update: EndedUpdate): Promise<void> {
    try {
      await mkdir(this.#folder, { recursive: true, mode: 0o750 });
      const name = (await this.#nameOf(update.operation.id)) ?? fileName(update, (await this.#names())[0]);
      await writeDurably(join(this.#folder, name), `${JSON.stringify(update, null, 1)}\n`);
      for (const name of (await this.#names()).slice(KEPT)) await unlink(join(this.#folder, name));
    } catch (error) {
      throw new Failure('JOURNAL_UNWRITABLE', `Cannot write the history: ${(error as Error).message}`, {}, { cause: error });
    }
  }

  /**
   * At most `count` updates: the newest, or those after the page that gave the token `after`. A token is a place in the
   * order, so it holds although what stood there has gone. A file that can't be read is left out.
   */
  async page(count: number, after = ''): Promise<HistoryPage> {
    const names = (await this.#names()).filter((name) => after === '' || name < after);
    const shown = names.slice(0, count);
    const updates = await Promise.all(shown.map((name) => this.#read(name)));
    const next = names.length > count ? (shown.at(-1) ?? '') : '';
    return { updates: updates.filter((update) => update !== undefined), next };
  }

  async find(operationId: string): Promise<EndedUpdate | undefined> {
    const name = await this.#nameOf(operationId);
    return name === undefined ? undefined : this.#read(name);
  }

  /** The versions that failed here and were not committed after that: what the journal remembers, for when it is lost. */
  async failedVersions(): Promise<FailedVersion[]> {
    const { updates } = await this.page(KEPT);
    const decided = updates.filter((update) => update.phase === 'committed' || showsBadVersion(update));
    const newest = decided.filter((update, index) => decided.findIndex((other) => versionOf(other) === versionOf(update)) === index);
    return newest.flatMap((update) => (update.phase === 'rolled-back' ? [failedVersion(update)] : []));
  }

  async #nameOf(operationId: string): Promise<string | undefined> {
    return (await this.#names()).find((name) => name.slice(TIME_DIGITS) === `-${operationId}.json`);
  }

  async #names(): Promise<string[]> {
    const names = await readdir(this.#folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    });
    return names.filter((name) => name.endsWith('.json')).sort((a, b) => (a < b ? 1 : -1));
  }

  async #read(name: string): Promise<EndedUpdate | undefined> {
    try {
      const state = v.parse(UpdateStateSchema, JSON.parse(await readFile(join(this.#folder, name), 'utf8')));
      return isEnded(state) ? state : undefined;
    } catch {
      return undefined;
    }
  }
}

const TIME_DIGITS = 15;

/** Sorts by the moment of the request, and after all that was written before, for a clock may have been wrong, or be so now. */
function fileName(update: EndedUpdate, newest = ''): string {
  const startedAtMs = update.phaseChanges[0]?.atMs ?? 0;
  const time = Math.max(startedAtMs, Number(newest.slice(0, TIME_DIGITS)) + 1 || 0);
  return `${String(time).padStart(TIME_DIGITS, '0')}-${update.operation.id}.json`;
}
