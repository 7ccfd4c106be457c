// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { readBounded } from '../files/bounded-file.ts';
import { writeDurably } from '../files/durable-file.ts';
import { Bell } from '../timing/bell.ts';
import type { Clock } from '../timing/clock.ts';
import { EventSegments, SEGMENT_BYTES } from './event-segments.ts';
import type { NodeEvent, StoredEvent } from './events.ts';

export interface EventLogParts {
  readonly folder: string;
  readonly bootId: string;
  readonly clock: Clock;
  readonly log: Pick<Logger, 'error'>;
}

export interface EventQuery {
  /** The last event that is known already; empty: none is. */
  readonly afterCursor: string;
  /** The newest so many; 0: all. Does not count with a cursor. */
  readonly limit: number;
  readonly follow: boolean;
}

export interface ToldEvent {
  readonly cursor: string;
  readonly stored: StoredEvent;
  /** Events between the one that was known and this one are no longer on record. */
  readonly gap: boolean;
}

/** No text of an event is longer, so that no line is longer than a fraction of a file. */
const MAX_TEXT_LENGTH = 1_000;
const PAGE = 64;

/**
 * What happened on the node, on its disk and bounded. An event is told only once it is on the disk, so that a cursor that was told
 * names the same event for ever; readers read from the disk, as far as they come, so that a slow one costs nothing.
 */
export class EventLog {
  readonly #parts: EventLogParts;
  readonly #segments: EventSegments;
  /** Tells this record from one that was begun anew. */
  #id = randomUUID() as string;
  #last = 0;
  #segment: { readonly first: number; sizeBytes: number; endsWhole: boolean } | undefined;
  #queue: Promise<void> = Promise.resolve();
  readonly #changed = new Bell();

  private constructor(parts: EventLogParts) {
    this.#parts = parts;
    this.#segments = new EventSegments(parts.folder);
  }

  /** Never fails: without a disk there are no events, and the node goes on. */
  static async open(parts: EventLogParts): Promise<EventLog> {
    const events = new EventLog(parts);
    await events.#load().catch((error) => parts.log.error({ err: error }, 'The events on record cannot be read'));
    return events;
  }

  async #load(): Promise<void> {
    const { folder } = this.#parts;
    await mkdir(folder, { recursive: true, mode: 0o750 });
    const file = join(folder, 'id');
    const known = (await readBounded(file, 64).catch(() => Buffer.alloc(0))).toString('utf8').trim();
    if (/^[0-9a-f-]{36}$/.test(known)) this.#id = known;
    else await writeDurably(file, `${this.#id}\n`);
    const first = (await this.#segments.firsts()).at(-1);
    if (first === undefined) return;
    const { events, sizeBytes, endsWhole } = await this.#segments.read(first);
    this.#last = events.at(-1)?.sequence ?? first - 1;
    this.#segment = { first, sizeBytes, endsWhole };
  }

  /** Writes an event down; resolves when it is on the disk, or known to be lost. `atMs` is now unless it says otherwise. */
  record(event: NodeEvent, atMs = this.#parts.clock.now().getTime()): Promise<void> {
    this.#queue = this.#queue.then(() => this.#append(event, atMs)).catch((error) => this.#lost(event, error));
    return this.#queue;
  }

  async #append(event: NodeEvent, atMs: number): Promise<void> {
    const sequence = this.#last + 1;
    const line = `${JSON.stringify({ sequence, atMs, bootId: this.#parts.bootId, event: cut(event) } satisfies StoredEvent)}\n`;
    const fits = this.#segment && this.#segment.sizeBytes + line.length <= SEGMENT_BYTES;
    const segment = fits && this.#segment ? this.#segment : { first: sequence, sizeBytes: 0, endsWhole: true };
    // A power cut or a full disk leaves half a line, which is closed off.
    const text = segment.endsWhole ? line : `\n${line}`;
    this.#segment = segment;
    segment.endsWhole = false;
    await this.#segments.append(segment.first, text);
    if (segment.sizeBytes === 0) await this.#segments.trim();
    segment.endsWhole = true;
    segment.sizeBytes += Buffer.byteLength(text);
    this.#last = sequence;
    this.#changed.ring();
  }

  /** Its number is not given again, so that readers learn that something is missing. */
  #lost(event: NodeEvent, error: unknown): void {
    this.#last += 1;
    this.#parts.log.error({ err: error, event: event.type }, 'An event could not be written down');
  }

  /** The newest event on record that fits; undefined when there is none. */
  async newest(fits: (event: NodeEvent) => boolean = () => true): Promise<StoredEvent | undefined> {
    try {
      for (const first of (await this.#segments.firsts()).reverse()) {
        const found = (await this.#segments.read(first)).events.findLast(({ event }) => fits(event));
        if (found) return found;
      }
    } catch (error) {
      this.#parts.log.error({ err: error }, 'The events on record cannot be read');
    }
    return undefined;
  }

  /** The events that are on record, oldest first, and then, where that is asked for, each new one until the signal. */
  async *follow({ afterCursor, limit, follow }: EventQuery, signal: AbortSignal): AsyncGenerator<ToldEvent> {
    const [oldest = this.#last + 1] = await this.#segments.firsts();
    const known = this.#sequenceOf(afterCursor);
    let position = known ?? (limit > 0 ? Math.max(oldest - 1, this.#last - limit) : oldest - 1);
    let gap = known === undefined && afterCursor !== '';
    while (!signal.aborted) {
      const seen = this.#last;
      const page = await this.#page(position);
      for (const stored of page) {
        const told = { cursor: `${this.#id}.${stored.sequence}`, stored, gap: gap || stored.sequence !== position + 1 };
        [position, gap] = [stored.sequence, false];
        yield told;
      }
      if (page.length > 0) continue;
      if (!follow) return;
      if (this.#last === seen) await this.#changed.next(signal);
    }
  }

  /** The next few events after a sequence. */
  async #page(position: number): Promise<readonly StoredEvent[]> {
    const firsts = await this.#segments.firsts();
    const start = Math.max(
      0,
      firsts.findLastIndex((first) => first <= position + 1),
    );
    for (const first of firsts.slice(start)) {
      // The oldest file may have gone meanwhile, and what is in it with it.
      const { events } = await this.#segments.read(first).catch(() => ({ events: [] }));
      const newer = events.filter(({ sequence }) => sequence > position && sequence <= this.#last);
      if (newer.length > 0) return newer.slice(0, PAGE);
    }
    return [];
  }

  /** The sequence that a cursor names; undefined when it is none of this record. */
  #sequenceOf(cursor: string): number | undefined {
    const [, id, digits] = /^([0-9a-f-]{36})\.(\d{1,15})$/.exec(cursor) ?? [];
    const sequence = Number(digits);
    return id === this.#id && sequence <= this.#last ? sequence : undefined;
  }
}

function cut(event: NodeEvent): NodeEvent {
  const entries = Object.entries(event).map(([key, value]) => [key, typeof value === 'string' ? value.slice(0, MAX_TEXT_LENGTH) : value]);
  return Object.fromEntries(entries) as NodeEvent;
}
