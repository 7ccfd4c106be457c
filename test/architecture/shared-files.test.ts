// SPDX-License-Identifier: Apache-2.0
// The virtual node and the images share their files: there is one copy of each, in the layers.
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = path.join(import.meta.dirname, '../..');
/** Of which there may be one copy: what systemd, D-Bus, polkit, RAUC, SELinux and the agent read on a node. */
const SHARED =
  /\.(service|timer|target|mount|socket|te|if|fc|rules)$|\/repart\.d\/|\/health\.d\/|\/sysusers\/|\/tmpfiles\/|(?:system|watchdog)\.conf$|crypttab$/;

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(path.join(ROOT, folder), { recursive: true, withFileTypes: true });
  return entries.flatMap((entry) => (entry.isFile() ? [path.relative(ROOT, path.join(entry.parentPath, entry.name))] : [])).sort();
}

const layers = (await Promise.all(['recipes-agent', 'meta-lamadist'].map(filesBelow))).flat();
const node = (await Promise.all(['qemu', 'test/layers', 'test/machine', 'test/integration'].map(filesBelow))).flat();
const text = (file: string) => readFile(path.join(ROOT, file), 'utf8');

describe('a file that the virtual node and the images share', () => {
  it('is in the layers alone', () => {
    expect(layers.filter((file) => SHARED.test(file)).length).toBeGreaterThan(20);
    expect(node.filter((file) => SHARED.test(file))).toEqual([]);
  });

  it('has no namesake beside it', () => {
    const names = new Set(layers.filter((file) => SHARED.test(file)).map((file) => path.basename(file)));
    expect(node.filter((file) => names.has(path.basename(file)))).toEqual([]);
  });

  it('has no twin with the same content', async () => {
    const contents = new Map<string, string>();
    for (const file of layers.filter((name) => SHARED.test(name))) {
      const content = await text(file);
      expect(contents.get(content), `${file} is the same as`).toBeUndefined();
      contents.set(content, file);
    }
  });

  it('is written into no program of the virtual node', async () => {
    // A unit or a definition in a string would be a copy that no comparison of files finds.
    for (const file of node.filter((name) => name.startsWith('qemu/') && /\.(ts|sh)$/.test(name)))
      expect(await text(file), file).not.toMatch(/^\[(Partition|system|keyring)\]$|^ExecStart=.*lamadist/m);
  });
});
