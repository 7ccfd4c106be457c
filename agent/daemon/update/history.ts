// SPDX-License-Identifier: Apache-2.0
import { mkdir, readdir, readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { Failure } from '../../shared/failure.ts';
import { writeDurably } from '../files/durable-file.ts';
import { type EndedUpdate, isEnded, type RollbackCode, UpdateStateSchema } from './state.ts';

const KEPT = 100;

/** The rollbacks that say something about the bundle. The others say something about a wish, or about the boot loader. */
const THE_BUNDLES_FAULT: ReadonlySet<string> = new Set<RollbackCode>([
  'CHECK_FAILED',
  'CHECK_BROKEN',
  'GATE_TIMED_OUT',
  'AGENT_CRASHED',
  'DEADLINE_EXPIRED',
  'TRIAL_INTERRUPTED',
  'NEVER_REACHED_USERSPACE',
  'WRONG_SLOT_BOOTED',
]);

/** Whether an ended update shows that its version must not be installed here again unless somebody insists. */
export const showsBadVersion = (update: EndedUpdate): boolean =>
  update.phase === 'rolled-back' && THE_BUNDLES_FAULT.has(update.reason.code);

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
      await writeDurably(join(this.#folder, fileName(update)), `${JSON.stringify(update, null, 1)}\n`);
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
    const name = (await this.#names()).find((candidate) => candidate.slice(TIME_DIGITS) === `-${operationId}.json`);
    return name === undefined ? undefined : this.#read(name);
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

/** Sorts by the moment of the request, whatever the clock says when a later file is written. */
function fileName(update: EndedUpdate): string {
  const startedAtMs = update.phaseChanges[0]?.atMs ?? 0;
  return `${String(startedAtMs).padStart(TIME_DIGITS, '0')}-${update.operation.id}.json`;
}
