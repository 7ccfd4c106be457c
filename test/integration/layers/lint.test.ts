// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { cacheDirectory } from '../../../qemu/cache-directory.ts';

const ROOT = path.resolve(import.meta.dirname, '../../..');
const DEADLINE_MS = 240_000;

/** The programs' folder of a virtual environment with the tools that container/pyproject.toml pins; made once. */
async function layerTools(): Promise<string> {
  const pins = [...(await readFile(path.join(ROOT, 'container/pyproject.toml'), 'utf8')).matchAll(/"([\w-]+==[\d.]+)"/g)].map(
    ([, pin = '']) => pin,
  );
  const folder = path.join(cacheDirectory(), `layer-tools-${pins.join('-')}`);
  // Its programs name the folder that they were installed in: it cannot be made elsewhere and renamed.
  const complete = path.join(folder, 'complete');
  if (!existsSync(complete)) {
    await rm(folder, { recursive: true, force: true });
    await execa('python3', ['-m', 'venv', folder], { timeout: DEADLINE_MS });
    await execa(path.join(folder, 'bin/pip'), ['install', '--quiet', '--disable-pip-version-check', ...pins], { timeout: DEADLINE_MS });
    await writeFile(complete, '');
  }
  return folder;
}

it('are clean to kas and to oelint-adv', { timeout: 2 * DEADLINE_MS }, async ({ skip }) => {
  const folder = await layerTools().catch((error: Error) => {
    const why = `kas and oelint-adv could not be installed: ${error.message.split('\n')[0]}`;
    process.stderr.write(`The layers' style is not checked: ${why}\n`);
    return skip(why);
  });
  const env = { PATH: `${path.join(folder, 'bin')}:${process.env.PATH}` };
  const { all, exitCode } = await execa(path.join(ROOT, '.ci/lint-layers'), { env, all: true, reject: false, timeout: DEADLINE_MS });
  expect(all).toContain("The layers' kas files and recipes are clean");
  expect(exitCode).toBe(0);
});
