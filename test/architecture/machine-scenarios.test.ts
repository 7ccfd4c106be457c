// SPDX-License-Identifier: Apache-2.0
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { CHOSEN, COVERED, ELSEWHERE, isLongRun, whyElsewhere } from '../machine/selection/machine-scenarios.ts';

const SCENARIOS = path.resolve(import.meta.dirname, '../integration/node');
const MACHINE = path.resolve(import.meta.dirname, '../machine');
const NAMED: readonly (readonly [file: string, names: readonly RegExp[]])[] = [
  ...Object.entries(CHOSEN),
  ...[...Object.entries(COVERED), ...Object.entries(ELSEWHERE)].flatMap(([file, tests]) =>
    typeof tests === 'string' ? [] : [[file, tests.map(([name]) => name)] as const],
  ),
];

describe('the list of scenarios that run in the machine', () => {
  it('names files that are there', async () => {
    const machine = Object.values(COVERED).flatMap((tests) => tests.map(([, by]) => by));
    expect(await readdir(MACHINE, { recursive: true })).toEqual(expect.arrayContaining(machine));
    expect(await readdir(SCENARIOS)).toEqual(expect.arrayContaining([...NAMED.map(([file]) => file), ...Object.keys(ELSEWHERE)]));
  });

  it('names the command that runs a test which is no part of npm run test:vm', () => {
    const cut = 'is rolled back when the power is cut and the boot loader gives one try';
    expect(whyElsewhere('update.test.ts', cut, false)).toContain('test/machine/power-cut/power-cut.test.ts (npm run test:power-cut)');
    expect(whyElsewhere('update.test.ts', cut, true)).toBeUndefined();
  });

  it('leaves to the long run what no other test shows', () => {
    const cut = 'is on the disk when the power is cut in that moment';
    expect(whyElsewhere('lost-data.test.ts', cut, false)).toContain('LAMADIST_SCENARIOS=all runs it');
    expect(whyElsewhere('lost-data.test.ts', cut, true)).toBeUndefined();
  });

  it('is the long one when LAMADIST_SCENARIOS is all, and the short one when it says nothing', () => {
    expect(['all', '', undefined].map((scenarios) => isLongRun(scenarios))).toEqual([true, false, false]);
  });

  it.each(['ALL', '1', 'every', ' all'])('is none when LAMADIST_SCENARIOS is "%s", and says what it can be', (scenarios) => {
    expect(() => isLongRun(scenarios)).toThrow(`LAMADIST_SCENARIOS is "${scenarios}"; say "all" for the long run`);
  });

  it('tells of each that it leaves out why: none is skipped without a word', async () => {
    for (const file of await readdir(SCENARIOS)) {
      expect(await readFile(path.join(SCENARIOS, file), 'utf8'), file).not.toMatch(/\.(skip|skipIf|runIf|todo)\(/);
    }
  });

  it.each(NAMED)('names tests that are in %s', async (file, names) => {
    const text = await readFile(path.join(SCENARIOS, file), 'utf8');
    const tests = [...text.matchAll(/\bit(?:\.[\w.]+(?:\([^)]*\))?)?\(\s*(['"`])(.*?)\1,/g)].map(([, , name = '']) => name);
    for (const name of names)
      expect(
        tests.filter((test) => name.test(test)),
        String(name),
      ).toHaveLength(1);
  });
});
