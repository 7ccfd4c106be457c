// SPDX-License-Identifier: Apache-2.0
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { CHOSEN, COVERED, ELSEWHERE } from '../machine/machine-scenarios.ts';

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
    expect(await readdir(MACHINE)).toEqual(expect.arrayContaining(machine));
    expect(await readdir(SCENARIOS)).toEqual(expect.arrayContaining([...NAMED.map(([file]) => file), ...Object.keys(ELSEWHERE)]));
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
