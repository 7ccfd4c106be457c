// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Phase } from '../../agent/daemon/update/life/state.ts';
import type { Moment } from './update-moments.ts';

/** What came of a power cut. */
interface Outcome {
  readonly moment: Moment;
  /** Writes of the disk that were durable, and those that were lost. */
  readonly kept: number;
  readonly lost: number;
  readonly booted: string;
  readonly version: string;
  readonly phase: Phase;
  /** What lamactl had been told, and the node knows nothing of. */
  readonly forgotten: readonly string[];
  /** By SELinux, in all boots of the disk. */
  readonly denied: readonly string[];
}

const HEAD = [
  '| stage | after | lamactl had been told | writes durable, lost | came up on | the update is | acknowledged, and lost |',
  '|---|---|---|---|---|---|---|',
];

/** The power cuts that have been tried on a recorded update, on the disk as soon as they are known. */
export class Outcomes {
  private constructor(
    private readonly file: string,
    readonly all: Outcome[],
  ) {}

  /** Those of another test count for nothing: `id` says which it is. */
  static async of(folder: string, id: string): Promise<Outcomes> {
    const file = path.join(folder, `outcomes-${id}.json`);
    return new Outcomes(file, existsSync(file) ? (JSON.parse(await readFile(file, 'utf8')) as Outcome[]) : []);
  }

  has({ afterMs }: Moment): boolean {
    return this.all.some(({ moment }) => moment.afterMs === afterMs);
  }

  async add(outcome: Outcome): Promise<void> {
    this.all.push(outcome);
    await writeFile(this.file, JSON.stringify(this.all));
  }

  /** The next run begins anew. */
  async forget(): Promise<void> {
    await rm(this.file, { force: true });
  }

  /** How many cuts lost writes, and how many each, in words. */
  losses(): string {
    const losses = this.all.map(({ lost }) => lost);
    return `${losses.filter((lost) => lost > 0).length} of ${losses.length} power cuts lost writes: ${losses.join(', ')}`;
  }

  /** In Markdown, in the order of the update. */
  table(): string {
    const rows = this.all.toSorted((a, b) => a.moment.afterMs - b.moment.afterMs).map(row);
    return [...HEAD, ...rows, ''].join('\n');
  }
}

function row({ moment, kept, lost, booted, version, phase, forgotten }: Outcome): string {
  const after = `${Math.round(moment.afterMs / 1000)} s`;
  const writes = `${kept}, ${lost}`;
  return `| ${[moment.stage, after, moment.told, writes, `${booted}, version ${version}`, phase, forgotten.join(', ') || 'nothing'].join(' | ')} |`;
}
