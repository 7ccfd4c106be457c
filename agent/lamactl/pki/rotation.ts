// SPDX-License-Identifier: Apache-2.0
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { parseConfig } from '../../shared/config-file.ts';
import { readIfThere, writeWhole } from '../whole-file.ts';

/**
 * The stages in which one authority takes the place of another. Each is left only when every node has confirmed it, so that at no
 * moment anybody holds a certificate that somebody else would refuse.
 *
 * - trusting: every node is told to trust both;
 * - reissuing: the administrator's own certificate, then each node's, is issued by the new one;
 * - handing-over: the other clients' certificates are issued anew, and their owners have to get them;
 * - dropping: every node is told to trust the new one alone.
 */
const STAGES = ['trusting', 'reissuing', 'handing-over', 'dropping'] as const;
export type Stage = (typeof STAGES)[number];

const Rotation = v.strictObject({
  schema: v.literal(1),
  /** The ids of the authorities. */
  from: v.number(),
  to: v.number(),
  stage: v.picklist(STAGES),
  /** The files of which the administrator was told that they wait for their owners. */
  told: v.optional(v.array(v.string())),
});

export type Rotation = v.InferOutput<typeof Rotation>;

/** What came of carrying out a stage. */
export interface StageOutcome {
  /** Nodes that did not confirm it. */
  readonly unconfirmed: readonly string[];
  /** Certificates that wait for their owners to say that they have them. */
  readonly toHandOver: readonly string[];
  /** Certificates of nodes that the old authority's end would lock out. */
  readonly strays: readonly unknown[];
}

export type Advance = { readonly type: 'next'; readonly stage: Stage } | { readonly type: 'finished' } | { readonly type: 'waiting' };

/** Whether to go on, and to which stage. */
export function advance(stage: Stage, { unconfirmed, toHandOver, strays }: StageOutcome): Advance {
  if (unconfirmed.length > 0 || toHandOver.length > 0 || strays.length > 0) return { type: 'waiting' };
  const next = STAGES[STAGES.indexOf(stage) + 1];
  return next === undefined ? { type: 'finished' } : { type: 'next', stage: next };
}

/** Where a rotation stands, on the administrator's disk: whatever interrupts it, the next run goes on from there. */
export class RotationFile {
  readonly path: string;

  constructor(folder: string) {
    this.path = join(folder, 'rotation.json');
  }

  /** Undefined when none is under way. Throws CONFIG_INVALID. */
  async readIfThere(): Promise<Rotation | undefined> {
    const text = await readIfThere(this.path);
    return text === undefined ? undefined : parseConfig(Rotation, text, this.path);
  }

  write(rotation: Rotation): Promise<void> {
    return writeWhole(this.path, `${JSON.stringify(rotation)}\n`);
  }

  async remove(): Promise<void> {
    await rm(this.path, { force: true });
  }
}
