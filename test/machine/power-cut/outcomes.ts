// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Phase } from '../../../agent/daemon/update/life/state.ts';
import type { NodeReport } from '../../integration/node/ask-node.ts';
import type { Moment } from './update-moments.ts';

/** A power cut. */
interface Cut {
  readonly moment: Moment;
  /** Writes of the disk that were durable, and those that were lost. */
  readonly kept: number;
  readonly lost: number;
}

/** The node that came back after it. */
export interface CameBack {
  readonly booted: string;
  readonly version: string;
  readonly slots: NodeReport['slots'];
  readonly phase: Phase;
  /** Of the reason, of an update that was not committed. */
  readonly code: string | undefined;
  /** What lamactl had been told, and the node knows nothing of. */
  readonly forgotten: readonly string[];
  /** By SELinux, in all boots of the disk. */
  readonly denied: readonly string[];
}

/** What came of a power cut: `failure` says why the node did not come back. */
export type Outcome = Cut & (CameBack | { readonly failure: string });

/** What comes of a power cut, be it an exception. */
export async function outcomeOf(cut: Cut, comeBack: () => Promise<CameBack>): Promise<Outcome> {
  try {
    return { ...cut, ...(await comeBack()) };
  } catch (error) {
    return { ...cut, failure: (error as Error).message };
  }
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

  get cameBack(): readonly (Cut & CameBack)[] {
    return this.all.flatMap((outcome) => ('failure' in outcome ? [] : [outcome]));
  }

  /** Each moment after which the node did not come back, and why. */
  get failures(): readonly string[] {
    return this.all.flatMap((outcome) => ('failure' in outcome ? [`${nameOf(outcome.moment)}: ${outcome.failure}`] : []));
  }

  /** How many cuts lost writes, how many each, and after how many the node did not come back, in words. */
  summary(): string {
    const losses = this.all.map(({ lost }) => lost);
    const lossy = losses.filter((lost) => lost > 0).length;
    return `${lossy} of ${losses.length} power cuts lost writes: ${losses.join(', ')}; after ${this.failures.length} the node did not come back`;
  }

  /** In Markdown, in the order of the update. */
  table(): string {
    const rows = this.all.toSorted((a, b) => a.moment.afterMs - b.moment.afterMs).map(row);
    return [...HEAD, ...rows, ''].join('\n');
  }
}

/** What a moment is called where one of them is meant. */
export const nameOf = ({ stage, afterMs }: Moment): string => `${stage}, ${afterMs} ms`;

function row(outcome: Outcome): string {
  const { moment, kept, lost } = outcome;
  const cut = [moment.stage, `${Math.round(moment.afterMs / 1000)} s`, moment.told, `${kept}, ${lost}`];
  return `| ${[...cut, ...cells(outcome)].join(' | ')} |`;
}

function cells(outcome: Outcome): readonly string[] {
  if ('failure' in outcome) return [`did not come back: ${outcome.failure.replaceAll(/\s+/g, ' ').replaceAll('|', '\\|')}`, '-', '-'];
  const { booted, version, phase, forgotten } = outcome;
  return [`${booted}, version ${version}`, phase, forgotten.join(', ') || 'nothing'];
}
