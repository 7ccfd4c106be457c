// SPDX-License-Identifier: Apache-2.0
import { open, readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { parsedJson } from '../../shared/json.ts';
import { syncFolder } from '../../shared/sync-folder.ts';
import { readBounded } from '../files/bounded-file.ts';
import { type StoredEvent, StoredEventSchema } from './events.ts';

/** With the number of segments, the most that events take of the disk. */
export const SEGMENT_BYTES = 64 << 10;
const SEGMENTS = 8;
const SEQUENCE_DIGITS = 15;

/** The events on the disk: files of lines, each named by the sequence of its first event. The oldest file goes when there are too many. */
export class EventSegments {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The sequences with which the files begin, in their order. */
  async firsts(): Promise<number[]> {
    const names = await readdir(this.#folder);
    return names.flatMap((name) => (/^\d{15}\.ndjson$/.test(name) ? [Number.parseInt(name, 10)] : [])).sort((a, b) => a - b);
  }

  /** What a file holds, in its order. A line that is no event is passed over. */
  async read(first: number): Promise<{ readonly events: readonly StoredEvent[]; readonly sizeBytes: number; readonly endsWhole: boolean }> {
    const bytes = await readBounded(this.#path(first), 2 * SEGMENT_BYTES);
    const lines = bytes.toString('utf8').split('\n');
    const events = lines.flatMap((line) => {
      const parsed = v.safeParse(StoredEventSchema, parsedJson(line));
      return parsed.success ? [parsed.output] : [];
    });
    return { events, sizeBytes: bytes.length, endsWhole: lines.at(-1) === '' };
  }

  /** Resolves when the line is on the disk. */
  async append(first: number, line: string): Promise<void> {
    const file = await open(this.#path(first), 'a', 0o640);
    try {
      await file.appendFile(line);
      await file.datasync();
    } finally {
      await file.close();
    }
  }

  /** Makes the names durable, and takes the oldest files away. */
  async trim(): Promise<void> {
    const firsts = await this.firsts();
    for (const first of firsts.slice(0, -SEGMENTS)) await unlink(this.#path(first));
    await syncFolder(this.#folder);
  }

  #path(first: number): string {
    return join(this.#folder, `${String(first).padStart(SEQUENCE_DIGITS, '0')}.ndjson`);
  }
}
