// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const LAMACTL = join(import.meta.dirname, '../../../dist/lamactl.js');

let folder: string;
let pages: readonly string[];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lamadist-man-'));
  await execa(process.execPath, [LAMACTL, 'man', '--folder', folder], { env: { SOURCE_DATE_EPOCH: '1700000000' } });
  pages = (await readdir(folder)).sort();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const page = (name: string) => readFile(join(folder, name), 'utf8');

describe('the manual pages', { timeout: 60_000 }, () => {
  it('are one for lamactl and one for each command that help shows', async () => {
    const { stdout } = await execa(process.execPath, [LAMACTL, '--help']);
    const commands = [...stdout.matchAll(/^ {2}([a-z]+)(?: |$)/gm)].map(([, name]) => name).filter((name) => name !== 'help');
    expect(commands.length).toBeGreaterThan(10);
    for (const name of commands) expect(pages).toContain(`lamactl-${name}.1`);
    expect(pages).toContain('lamactl.1');
    expect(pages).not.toContain('lamactl-complete.1');
  });

  it('have nothing that mandoc warns of', async () => {
    const { all } = await execa('mandoc', ['-Tlint', '-W', 'warning', ...pages.map((name) => join(folder, name))], {
      all: true,
      reject: false,
    });
    expect(all).toBe('');
  });

  it('fit into a terminal of 80 columns', async () => {
    for (const name of pages) {
      // Of mandoc's bold letters, "a^Ha", one is seen.
      const { stdout } = await execa('mandoc', ['-Tascii', '-Owidth=78', join(folder, name)]);
      const lines = stdout.replaceAll(/.[\b]/g, '').split('\n');
      expect({ name, wide: lines.filter((line) => line.length > 80) }).toEqual({ name, wide: [] });
    }
  });

  it('say what the help says: options, examples and exit codes', async () => {
    const text = await page('lamactl-install.1');
    for (const part of [
      '.SH SYNOPSIS',
      '.SH OPTIONS',
      '\\-\\-allow\\-downgrade',
      '.SH EXAMPLES',
      '.SH EXIT CODES',
      '.B 12 under\\-way',
      '.BR lamactl (1)',
    ]) {
      expect(text).toContain(part);
    }
    expect(text).toContain('"2023-11-14"');
  });
});
