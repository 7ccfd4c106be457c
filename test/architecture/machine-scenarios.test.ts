// SPDX-License-Identifier: Apache-2.0
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { CHOSEN, ELSEWHERE } from '../machine/machine-scenarios.ts';

const SCENARIOS = path.resolve(import.meta.dirname, '../integration/node');

describe('the list of scenarios that run in the machine', () => {
  it('names files that are there', async () => {
    expect(await readdir(SCENARIOS)).toEqual(expect.arrayContaining([...Object.keys(CHOSEN), ...Object.keys(ELSEWHERE)]));
  });

  it.each(Object.entries(CHOSEN))('names tests that are in %s', async (file, names) => {
    const text = await readFile(path.join(SCENARIOS, file), 'utf8');
    const tests = [...text.matchAll(/\bit(?:\.[\w.]+(?:\([^)]*\))?)?\(\s*(['"`])(.*?)\1,/g)].map(([, , name = '']) => name);
    for (const name of names)
      expect(
        tests.filter((test) => name.test(test)),
        String(name),
      ).toHaveLength(1);
  });
});
