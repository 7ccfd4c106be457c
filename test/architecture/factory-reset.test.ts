// SPDX-License-Identifier: Apache-2.0
// How a node asks its firmware for a factory reset.
import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../unit/fakes/folder.ts';

const FILES = path.join(import.meta.dirname, '../../meta-lamadist/recipes-core/factory-reset/files');
const VARIABLE = 'FactoryReset-8cf2644b-4b0b-428f-9387-6d876050dc67';
const ask = (efivars: string) => execa('sh', [path.join(FILES, 'factory-reset')], { env: { LAMADIST_EFIVARS: efivars }, reject: false });

describe('a factory reset', () => {
  it("is asked for with systemd's variable: its attributes, and a 1 in UTF-16", async () => {
    const efivars = path.join(await temporaryFolder(), 'efivars');
    await mkdir(efivars);
    expect((await ask(efivars)).exitCode).toBe(0);
    expect(await readFile(path.join(efivars, VARIABLE))).toEqual(Buffer.from([7, 0, 0, 0, 0x31, 0, 0, 0]));
  });

  it('is refused where the firmware takes no variable, with another way', async () => {
    const { exitCode, stderr } = await ask('/nonexistent');
    expect(exitCode).toBe(1);
    expect(stderr).toContain('write the image to the disk anew');
  });

  it('fails the target that asks for it when it is refused', async () => {
    expect(await readFile(path.join(FILES, 'lamadist-factory-reset.service'), 'utf8')).toContain('RequiredBy=factory-reset.target');
  });
});
