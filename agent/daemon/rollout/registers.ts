// SPDX-License-Identifier: Apache-2.0
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import * as v from 'valibot';
import { Failure } from '../../shared/failure.ts';
import { syncFolder } from '../../shared/sync-folder.ts';
import { readBounded } from '../files/bounded-file.ts';
import { writeDurably } from '../files/durable-file.ts';
import { type Neighbour, type Register, requireEpoch } from './register.ts';

/** The rollouts that a node remembers; with one more the oldest that ended goes, or else the oldest. */
const KEPT = 8;
/** A progress of 256 KiB in base64, and what is around it. */
const MAX_FILE_BYTES = 512 << 10;
const MAX_PLAN_BYTES = 512 << 10;

const text = v.string();
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const FileSchema = v.object({
  schema: v.literal(1),
  promised: v.object({ epoch: count, holder: text }),
  record: v.optional(
    v.object({ epoch: count, sequence: count, witnesses: v.array(text), summary: text, ended: v.boolean(), progress: text }),
  ),
});

export interface KnownRollout {
  readonly id: string;
  readonly register: Register;
  readonly changedAtMs: number;
}

/**
 * What the node remembers of rollouts, in one folder of the data file system: for each `<id>.json`, which is rewritten with every
 * record, and `<id>.plan`, which is written once. Every change is on the disk before it is told of.
 */
export class RolloutRegisters {
  readonly #folder: string;
  readonly #log: Pick<Logger, 'error'>;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(folder: string, log: Pick<Logger, 'error'>) {
    this.#folder = folder;
    this.#log = log;
  }

  async read(id: string): Promise<Register | undefined> {
    const stored = await this.#stored(id);
    if (!stored) return undefined;
    const { promised, record } = stored;
    if (!record) return { promised };
    const plan = await this.#bytes(`${id}.plan`, MAX_PLAN_BYTES);
    return { promised, record: { ...record, plan: plan ?? Buffer.alloc(0), progress: Buffer.from(record.progress, 'base64') } };
  }

  /**
   * Changes one register, in view of the others while it has no record yet; what the change throws leaves it as it was. One change at
   * a time.
   */
  change(id: string, change: (register: Register | undefined, others: readonly Neighbour[]) => Register): Promise<Register> {
    return this.#inTurn(async () => {
      const before = await this.read(id);
      const others = before?.record ? [] : (await this.list()).filter((known) => known.id !== id);
      const after = change(before, others);
      await this.#write(id, after, before);
      return after;
    });
  }

  /** Does something for a runner that was not fenced off, and lets nobody fence it off until it is done. Throws ROLLOUT_TAKEN_OVER. */
  guard<Value>(id: string, epoch: number, work: () => Promise<Value>): Promise<Value> {
    return this.#inTurn(async () => {
      requireEpoch(await this.read(id), epoch);
      return work();
    });
  }

  #inTurn<Value>(work: () => Promise<Value>): Promise<Value> {
    const done = this.#queue.then(work);
    this.#queue = done.catch(() => undefined);
    return done;
  }

  /** The newest first, without their plans; a file that cannot be read is left out. */
  async list(): Promise<readonly KnownRollout[]> {
    const names = await readdir(this.#folder).catch(() => []);
    const ids = names.filter((name) => name.endsWith('.json')).map((name) => name.slice(0, -'.json'.length));
    const known: KnownRollout[] = [];
    for (const id of ids) {
      const stored = await this.#stored(id).catch((error) => this.#log.error({ err: error, id }, 'A rollout on record cannot be read'));
      if (!stored) continue;
      const { mtimeMs } = await stat(join(this.#folder, `${id}.json`));
      const record = stored.record && { ...stored.record, plan: Buffer.alloc(0), progress: Buffer.from(stored.record.progress, 'base64') };
      known.push({ id, register: { promised: stored.promised, ...(record && { record }) }, changedAtMs: mtimeMs });
    }
    return known.sort((a, b) => b.changedAtMs - a.changedAtMs);
  }

  async #write(id: string, { promised, record }: Register, before: Register | undefined): Promise<void> {
    try {
      await mkdir(this.#folder, { recursive: true, mode: 0o750 });
      if (!before) await this.#makeRoom();
      if (record && !(before?.record && Buffer.from(before.record.plan).equals(record.plan))) {
        await writeDurably(join(this.#folder, `${id}.plan`), record.plan);
      }
      const { plan: _, ...kept } = record ?? { plan: undefined };
      const written = record && { ...kept, progress: Buffer.from(record.progress).toString('base64') };
      const document = { schema: 1, promised, ...(written && { record: written }) };
      await writeDurably(join(this.#folder, `${id}.json`), `${JSON.stringify(document)}\n`);
    } catch (error) {
      throw new Failure('JOURNAL_UNWRITABLE', `Cannot write the record of the rollout: ${(error as Error).message}`, {}, { cause: error });
    }
  }

  async #makeRoom(): Promise<void> {
    const known = await this.list();
    if (known.length < KEPT) return;
    const oldest = known.findLast(({ register }) => register.record?.ended === true) ?? known.at(-1);
    if (!oldest) return;
    // The plan goes last: without the register nobody asks for it.
    for (const name of [`${oldest.id}.json`, `${oldest.id}.plan`]) await rm(join(this.#folder, name), { force: true });
    await syncFolder(this.#folder);
  }

  async #stored(id: string): Promise<v.InferOutput<typeof FileSchema> | undefined> {
    const bytes = await this.#bytes(`${id}.json`, MAX_FILE_BYTES);
    if (!bytes) return undefined;
    try {
      return v.parse(FileSchema, JSON.parse(bytes.toString('utf8')));
    } catch (error) {
      throw new Failure('JOURNAL_UNREADABLE', `Cannot read the record of the rollout ${id}: the file is damaged`, {}, { cause: error });
    }
  }

  async #bytes(name: string, limitBytes: number): Promise<Buffer | undefined> {
    try {
      return await readBounded(join(this.#folder, name), limitBytes);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }
}
