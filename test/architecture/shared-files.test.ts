// SPDX-License-Identifier: Apache-2.0
// The virtual node and the images share their files: there is one copy of each, in the layers.
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { commandLine } from '../../qemu/vm/image/uki.ts';
import { initramfsFiles, rootFiles } from '../../qemu/vm/image/vm-files.ts';
import { layerVariables } from '../../qemu/vm/layers.ts';
import { installedFiles } from '../layers/recipe-files.ts';

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

describe("the layer's own packages in every image", async () => {
  const core = await text('meta-lamadist/recipes-core/packagegroups/packagegroup-lamadist-core.bb');
  const packages = [...core.matchAll(/lamadist-(?!agent\b|core\b)([a-z-]+)(?= \\|')/g)].map(([, name]) => `recipes-core/${name!}`);
  const everything = { data: true, root: true };
  const inMachine = [...(await rootFiles(everything)), ...(await initramfsFiles(everything))];
  const contents = inMachine.map(({ content }) => content.toString());
  const recipes = [...packages, 'recipes-core/boot-entries', 'recipes-security/ima-policy'];

  it('are as many as there are', () => {
    expect(packages).toContain('recipes-core/encrypted-root');
    expect(packages.length).toBeGreaterThan(5);
  });

  it.each(recipes)('%s is in the virtual machine with every file', async (name) => {
    const files = await filesBelow(`meta-lamadist/${name}/files`);
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) expect(contents.includes(await text(file)), file).toBe(true);
  });

  it.each([...recipes, 'recipes-core/rauc'])('%s has its files where the recipe puts them', async (name) => {
    const [recipe = ''] = (await filesBelow(`meta-lamadist/${name}`)).filter((file) => file.endsWith('.bb') && file.includes('lamadist-'));
    const installed = installedFiles(await text(recipe));
    expect(installed.length).toBeGreaterThan(0);
    // A boot loader that is not the machine's has a script of its own.
    for (const { file, target, mode } of installed.filter(({ file: each }) => each !== 'backend.sh')) {
      const content = await text(`meta-lamadist/${name}/files/${file}`);
      const there = inMachine.find((each) => each.path === target);
      expect({ target, mode: there?.mode, content: there?.content.toString() }).toEqual({ target, mode, content });
    }
  });
});

/** Lines of shell in a recipe that a script of the virtual node has, too: the names in it are BitBake's. */
const SAID_TWICE = [
  [
    'the layout of an EFI system partition',
    'classes-recipe/lamadist-uki.bbclass',
    'esp.sh',
    /mkfs\.vfat -F.*--invariant|(?<=mmd -i \S+ )::.*/g,
  ],
  ['the configuration of the loader for a fresh disk', 'classes-recipe/lamadist-uki.bbclass', 'esp.sh', /printf '.*?'/g],
  ["the labels of /etc's overlay", 'recipes-security/refpolicy/refpolicy-targeted_%.bbappend', 'policy.sh', /printf '.*?'/g],
] as const;

describe('what the virtual node cannot take from the layers', () => {
  it.each(SAID_TWICE)('%s is the same in both', async (_, recipe, script, pattern) => {
    const inLayers = [...new Set((await text(`meta-lamadist/${recipe}`)).match(pattern))];
    expect(inLayers.length).toBeGreaterThan(0);
    const inNode = await text(`qemu/vm/image/${script}`);
    for (const line of inLayers) expect(inNode).toContain(line);
  });

  it("the first words of a slot's command line are the same in both", async () => {
    const [, list = ''] = /os-release', \[(.*?)\]\)/s.exec(await text('meta-lamadist/classes-recipe/lamadist-uki.bbclass')) ?? [];
    // Of a word that BitBake puts together, what it begins with.
    const inLayers = [...list.matchAll(/'([^']*=[^']*)'/g)].map(([, word]) => word!.replace('%s', 'b'));
    expect(inLayers.length).toBeGreaterThan(0);
    const variables = { ...(await layerVariables()), LAMADIST_CMDLINE: 'the-next', LAMADIST_EXTRA_CMDLINE: 'the-last' };
    const inNode = commandLine({ slot: 'b', rootHash: 'abc', words: [] }, variables).split(' ');
    expect(inNode.map((word, index) => word.slice(0, inLayers[index]?.length))).toEqual([...inLayers, 'the-next', 'the-last']);
  });
});
