// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CameBack, Outcomes, outcomeOf } from '../../../machine/power-cut/outcomes.ts';
import type { Moment } from '../../../machine/power-cut/update-moments.ts';

const moment = (afterMs: number, lost: number): Moment => ({
  stage: 'gate',
  told: 'checking',
  logBytes: 512,
  flash: 'same',
  afterMs,
  lost,
});
const BACK: CameBack = {
  booted: 'A',
  version: '1',
  slots: {},
  phase: 'rolled-back',
  code: 'TRIAL_INTERRUPTED',
  forgotten: [],
  denied: [],
};
const LATE = await outcomeOf({ moment: moment(445_000, 68), kept: 3221, lost: 68 }, async () => BACK);
const GONE = await outcomeOf({ moment: moment(440_100, 0), kept: 3218, lost: 0 }, () =>
  Promise.reject(new Error('Cannot wait any longer for boot 3:\n900000 ms | passed')),
);

describe('the outcomes of power cuts', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'outcomes-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const both = async (): Promise<Outcomes> => {
    const outcomes = await Outcomes.of(folder, 'test');
    for (const outcome of [LATE, GONE]) await outcomes.add(outcome);
    return outcomes;
  };

  it('count a moment after which the node did not come back, and say why', async () => {
    const outcomes = await both();
    expect(outcomes.all).toHaveLength(2);
    expect(outcomes.cameBack).toEqual([LATE]);
    expect(outcomes.failures).toEqual([expect.stringContaining('gate, 440100 ms: Cannot wait any longer for boot 3')]);
    expect(outcomes.summary()).toBe('1 of 2 power cuts lost writes: 68, 0; after 1 the node did not come back');
  });

  it('have a row each in the table, in the order of the update', async () => {
    const [, , first, second] = (await both()).table().split('\n');
    const why = 'did not come back: Cannot wait any longer for boot 3: 900000 ms \\| passed';
    expect(first).toBe(`| gate | 440 s | checking | 3218, 0 | ${why} | - | - |`);
    expect(second).toBe('| gate | 445 s | checking | 3221, 68 | A, version 1 | rolled-back | nothing |');
  });

  it('are gone on with by a run of the same test, which tries no moment again, whatever came of it', async () => {
    await both();
    const again = await Outcomes.of(folder, 'test');
    expect([LATE, GONE].map((outcome) => again.has(outcome.moment))).toEqual([true, true]);
    expect(again.failures).toHaveLength(1);
    const other = await Outcomes.of(folder, 'other test');
    expect(other.has(LATE.moment)).toBe(false);
  });

  it('leave nothing to go on with once they are forgotten', async () => {
    await (await both()).forget();
    expect(await readdir(folder)).toEqual([]);
  });
});
