// SPDX-License-Identifier: Apache-2.0
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { Failure } from '../../shared/failure.ts';
import { readIfThere, writeWhole } from '../whole-file.ts';
import type { Plan } from './plan.ts';
import { packPlan, packProgress, unpackPlan, unpackProgress } from './record.ts';
import { hasEnded, type RolloutState, summaryOf } from './state.ts';

const FileSchema = v.object({
  schema: v.literal(1),
  holder: v.string(),
  epoch: v.number(),
  sequence: v.number(),
  summary: v.string(),
  ended: v.boolean(),
  progress: v.string(),
});

/** What this machine wrote down of a rollout, before it acted on it. */
export interface Journaled {
  readonly holder: string;
  readonly epoch: number;
  readonly sequence: number;
  readonly state: RolloutState;
}

/**
 * The rollouts of a context on the administrator's machine: beside the context file, in the folder rollouts/<context>, for each
 * `<id>.plan`, written once, and `<id>.json`, written before every step.
 */
export class RolloutJournal {
  readonly #folder: string;
  readonly #plans = new Set<string>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Resolves when it is on the disk. Throws CONFIG_INVALID. */
  async write({ holder, epoch, sequence, state }: Journaled): Promise<void> {
    const { id } = state.plan;
    if (!this.#plans.has(id)) await writeWhole(this.#file(id, 'plan'), packPlan(state.plan).toString('base64'));
    this.#plans.add(id);
    const progress = packProgress(state).toString('base64');
    const written = { schema: 1, holder, epoch, sequence, summary: summaryOf(state), ended: hasEnded(state), progress };
    await writeWhole(this.#file(id, 'json'), `${JSON.stringify(written)}\n`);
  }

  /** Undefined when this machine never ran it. Throws CONFIG_INVALID. */
  async read(id: string): Promise<Journaled | undefined> {
    const plan = await this.plan(id);
    const text = plan && (await readIfThere(this.#file(id, 'json')));
    if (!plan || text === undefined) return undefined;
    const { holder, epoch, sequence, progress } = this.#parse(id, text);
    return { holder, epoch, sequence, state: unpackProgress(plan, Buffer.from(progress, 'base64')) };
  }

  async plan(id: string): Promise<Plan | undefined> {
    const text = await readIfThere(this.#file(id, 'plan'));
    return text === undefined ? undefined : unpackPlan(id, Buffer.from(text, 'base64'));
  }

  /** The rollouts that this machine ran, the newest last. */
  async list(): Promise<readonly { readonly id: string; readonly summary: string; readonly ended: boolean; readonly holder: string }[]> {
    const names = await readdir(this.#folder).catch(() => []);
    const known = [];
    for (const name of names.filter((each) => each.endsWith('.json'))) {
      const id = name.slice(0, -'.json'.length);
      const [text, plan] = [await readIfThere(this.#file(id, 'json')), await this.plan(id)];
      if (text === undefined || !plan) continue;
      const { summary, ended, holder } = this.#parse(id, text);
      known.push({ id, summary, ended, holder, createdAtMs: plan.createdAtMs });
    }
    return known.sort((a, b) => a.createdAtMs - b.createdAtMs);
  }

  #parse(id: string, text: string): v.InferOutput<typeof FileSchema> {
    try {
      return v.parse(FileSchema, JSON.parse(text));
    } catch (error) {
      const file = this.#file(id, 'json');
      throw new Failure(
        'CONFIG_INVALID',
        `Cannot read the rollout in ${file}: it is damaged; remove it, and take the rollout over`,
        { file },
        { cause: error },
      );
    }
  }

  #file(id: string, kind: 'plan' | 'json'): string {
    return join(this.#folder, `${id}.${kind}`);
  }
}
