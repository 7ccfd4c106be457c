// SPDX-License-Identifier: Apache-2.0
// What kas files may say, without kas: recipe-style.test.ts asks kas's own schema, where that can be had.
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { kasFaults } from '../layers/kas-schema.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const FILES = (await readdir(path.join(ROOT, 'kas'), { recursive: true })).filter((file) => file.endsWith('.yml')).sort();
const text = (file: string) => readFile(path.join(ROOT, file), 'utf8');

/** The main file with one thing changed. */
async function mainWith(change: Readonly<Record<string, unknown>>): Promise<unknown> {
  return { ...(parse(await text('kas/main.kas.yml')) as object), ...change };
}

describe('a kas file', () => {
  it.each(FILES)('%s says only what kas knows, each in its form', async (file) => {
    expect(kasFaults(parse(await text(`kas/${file}`)))).toEqual([]);
  });

  it.each([
    ['a word that kas does not know', { targets: ['lamadist-image-homelab'] }, 'targets'],
    ['no format', { header: { includes: [] } }, 'header.version'],
    ['a format that is no number', { header: { version: '14' } }, 'header.version'],
    ['a target that is no name', { target: [14] }, 'target.0'],
    ['a variable that is no text', { env: { LAMADIST_RELEASE: true } }, 'env.LAMADIST_RELEASE'],
    ['a line that is no text', { local_conf_header: { lamadist: ['CONF_VERSION = "2"'] } }, 'local_conf_header.lamadist'],
    ['a repository with a word that kas does not know', { repos: { poky: { uri: 'https://lamadist.invalid/' } } }, 'repos.poky.uri'],
    ['layers that are a list', { repos: { poky: { layers: ['meta'] } } }, 'repos.poky.layers.0'],
    ['a commit that is cut short', { overrides: { repos: { poky: { commit: '1d54d1c' } } } }, 'overrides.repos.poky.commit'],
  ])('is at fault with %s', async (_, change, where) => {
    expect(kasFaults(await mainWith(change))).toEqual([expect.stringContaining(`${where}: `)]);
  });
});

describe("the settings of one's own that docs/BUILDING.md shows", () => {
  it('are a kas file, and set what the layers read', async () => {
    const [, shown = ''] = /```yaml\n([^`]+)```/.exec(await text('docs/BUILDING.md')) ?? [];
    const file = parse(shown) as { local_conf_header: Record<string, string> };
    expect(kasFaults(file)).toEqual([]);
    const names = [
      ...Object.values(file.local_conf_header)
        .join('')
        .matchAll(/^(\w+)/gm),
    ].map(([, name = '']) => name);
    expect(names).toEqual(['LAMADIST_ROOT_MIB', 'LAMADIST_EXTRA_CMDLINE']);
    await expectRead(names);
  });

  it('are listed with names that the layers read', async () => {
    const [, section = ''] = (await text('docs/BUILDING.md')).split('## Settings of your own');
    const rows =
      section
        .split('\n## ')[0]
        ?.split('\n')
        .filter((line) => line.startsWith('| `')) ?? [];
    const names = rows.flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`(LAMADIST_\w+)/g)].map(([, name = '']) => name));
    expect(names.length).toBeGreaterThan(7);
    await expectRead(names);
  });
});

/** Each has a weak default somewhere: what a kas file says takes its place. */
async function expectRead(names: readonly string[]): Promise<void> {
  const files = await Promise.all(
    ['meta-lamadist', 'recipes-agent'].map(async (layer) =>
      (await readdir(path.join(ROOT, layer), { recursive: true })).map((file) => path.join(layer, file)),
    ),
  );
  const metadata = await Promise.all(
    files
      .flat()
      .filter((file) => /\.(bb|bbclass|inc|conf)$/.test(file))
      .map(text),
  );
  for (const name of names)
    expect(
      metadata.some((content) => new RegExp(`^${name} \\?\\??= `, 'm').test(content)),
      name,
    ).toBe(true);
}
