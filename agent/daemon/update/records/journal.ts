// SPDX-License-Identifier: Apache-2.0
import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { Failure } from '../../../shared/failure.ts';
import { writeDurably } from '../../files/durable-file.ts';
import { type UpdateState, UpdateStateSchema } from '../life/state.ts';
import { FailedVersionSchema } from './failed-version.ts';
import { type Salvage, salvage } from './salvage.ts';

/** This agent's journal format, and the oldest format whose readers understand what it writes. */
const SCHEMA = 1;
const READABLE_SINCE = 1;

const EnvelopeSchema = v.object({ schema: v.number(), readableSince: v.number() });
const JournalSchema = v.object({ state: UpdateStateSchema, failedVersions: v.array(FailedVersionSchema) });

/** What the agent must not forget: where the update stands, and which versions were rolled back on this node. */
export type Journaled = v.InferOutput<typeof JournalSchema> & {
  /** What else a newer agent keeps in its journal: written again as it was read. */
  readonly others?: Readonly<Record<string, unknown>>;
};

const NOTHING: Journaled = { state: { phase: 'idle' }, failedVersions: [] };

export interface ReadJournal {
  readonly journaled: Journaled;
  /** Why the journal could not be used, and what could be read of it nevertheless. */
  readonly damage?: { readonly failure: Failure; readonly salvage: Salvage };
}

/**
 * The durable journal, one file on the data file system that both slots share. An agent of the other slot, older or
 * newer, reads the same file: fields that it does not know are passed over, and `readableSince` says when it must not try.
 */
export class Journal {
  readonly #path: string;

  constructor(folder: string) {
    this.#path = join(folder, 'update.json');
  }

  /**
   * Reads the journal. One that can't be read is kept beside the new one under `update.json.damaged`, and reported as
   * damage with what could be salvaged: the node starts without it rather than not at all.
   */
  async read(): Promise<ReadJournal> {
    let text: string;
    try {
      text = await readFile(this.#path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { journaled: NOTHING };
      throw unreadable('read the journal', error);
    }
    try {
      return { journaled: parse(text) };
    } catch (error) {
      await rename(this.#path, `${this.#path}.damaged`).catch((reason) => {
        throw unreadable('keep the damaged journal', reason);
      });
      return { journaled: NOTHING, damage: { failure: unreadable('use the journal', error), salvage: salvage(text) } };
    }
  }

  /** Resolves when the state is on the disk. Fails with JOURNAL_UNWRITABLE. */
  async write(journaled: Journaled): Promise<void> {
    try {
      const { others, ...known } = journaled;
      const document = { ...others, schema: SCHEMA, readableSince: READABLE_SINCE, ...known };
      await writeDurably(this.#path, `${JSON.stringify(document, null, 1)}\n`);
    } catch (error) {
      throw new Failure('JOURNAL_UNWRITABLE', `Cannot write the journal: ${(error as Error).message}`, {}, { cause: error });
    }
  }
}

const unreadable = (what: string, cause: unknown): Failure =>
  new Failure('JOURNAL_UNREADABLE', `Cannot ${what}: ${(cause as Error).message}`, {}, { cause });

function parse(text: string): Journaled {
  const raw: unknown = JSON.parse(text);
  const { readableSince } = v.parse(EnvelopeSchema, raw);
  if (readableSince > SCHEMA) throw new Error(`a newer agent wrote it in format ${readableSince}, and this one reads up to ${SCHEMA}`);
  const { schema: _schema, readableSince: _since, state: _state, failedVersions: _versions, ...others } = raw as Record<string, unknown>;
  return { ...v.parse(JournalSchema, raw), ...(Object.keys(others).length > 0 && { others }) };
}

/** The state without what is worth no write to the disk: progress is published, and forgotten in a restart. */
export function worthJournaling(before: UpdateState, after: UpdateState): boolean {
  return JSON.stringify(withoutProgress(before)) !== JSON.stringify(withoutProgress(after));
}

function withoutProgress(state: UpdateState): object {
  if (state.phase === 'idle') return state;
  const { fetched: _fetched, ...kept } = state;
  if (state.phase === 'downloading') return { ...kept, heldUp: '' };
  return state.phase === 'installing' ? { ...kept, percent: 0, message: '' } : kept;
}
