// SPDX-License-Identifier: Apache-2.0
// Whatever unit the layers ship, something starts it: in their images, and in the virtual machine's.
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ImageFile } from '../../qemu/image/product-files.ts';
import { enabledUnits } from '../../qemu/layers/enabled-units.ts';
import { AGENT_LAYER, LAYER } from '../../qemu/layers/layer-folders.ts';
import { layerRecipes } from '../../qemu/layers/recipe.ts';
import { type Link, linksOf } from '../../qemu/layers/recipe-lines.ts';
import { AARCH64, X86_64 } from '../../qemu/vm/architecture.ts';
import { initramfsFiles, rootFiles } from '../../qemu/vm/image/vm-files.ts';
import { initramfsLinks, rootUnits } from '../../qemu/vm/image/vm-units.ts';
import { encryptionOf, layerVariables } from '../../qemu/vm/layers.ts';

const UNIT = /\.(service|timer|path|mount|target)$/;
const UNITS = '/usr/lib/systemd/system';
/** A line of a unit, a drop-in or a rule of udev that starts what it names. */
const STARTS = /^(Wants|Requires|BindsTo|Upholds|OnFailure)=|SYSTEMD_WANTS/;

async function filesBelow(folder: string): Promise<ImageFile[]> {
  const entries = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  const paths = entries.map((entry) => path.join(entry.parentPath, entry.name));
  return Promise.all(paths.map(async (file) => ({ path: file, content: await readFile(file, 'utf8') })));
}

const nameOf = (file: ImageFile): string => path.basename(file.path);
const isInstalled = (file: ImageFile): boolean => /^\[Install\]$/m.test(file.content.toString());
/** Where a link enables what it says: among what one of systemd's targets in an initramfs wants, or in the place of that target. */
const ENABLES = /\/initrd(-[a-z]+)*\.target(\.(wants|requires)\/[^/]+)?$/;
const linked = (links: readonly Link[]): string[] =>
  links.filter(({ path: place }) => ENABLES.test(place)).map(({ to }) => path.basename(to));

/** Those of the units among these files that nothing starts: neither is among `enabled`, nor does another file name it. */
function idle(files: readonly ImageFile[], enabled: readonly string[]): string[] {
  const started = files.flatMap(({ content }) => content.toString().split('\n')).filter((line) => STARTS.test(line));
  const units = files.map(nameOf).filter((name) => UNIT.test(name));
  return units.filter((name) => {
    const stem = name.replace(/\.service$/, '');
    // A timer or a path starts the service of its name.
    if (enabled.includes(name) || units.some((each) => each === `${stem}.timer` || each === `${stem}.path`)) return false;
    return !started.some((line) => line.includes(name.replace('@.service', '@')));
  });
}

describe('every unit of the layers', async () => {
  const files = (await Promise.all([AGENT_LAYER, LAYER].map(filesBelow))).flat();
  const recipes = await layerRecipes();
  const enabled = (await Promise.all(recipes.map(enabledUnits))).flat();
  const byHand = recipes.flatMap(({ text }) => linked(linksOf(text)));

  it('is enabled by its recipe, or started by another file', () => {
    expect(enabled.length).toBeGreaterThan(5);
    expect(byHand.length).toBeGreaterThan(3);
    expect(idle(files, [...enabled, ...byHand])).toEqual([]);
  });

  it('that says what wants it is enabled by its recipe', () => {
    const wanted = files.filter((file) => UNIT.test(file.path) && isInstalled(file)).map(nameOf);
    expect(wanted.filter((name) => ![...enabled, ...byHand].includes(name))).toEqual([]);
  });

  it('is found out when nothing starts it', () => {
    const unit = (name: string, content = '') => ({ path: `files/${name}`, content });
    const some = [unit('a.service'), unit('b.service', 'Wants=c@x.service'), unit('c@.service'), unit('d.service'), unit('d.timer')];
    expect(idle(some, ['d.timer'])).toEqual(['a.service', 'b.service']);
  });
});

describe.each([X86_64, AARCH64])('in the virtual machine for $name', async (architecture) => {
  const variables = await layerVariables(architecture);
  const root = await rootFiles(encryptionOf(variables), architecture);
  const initramfs = await initramfsFiles(encryptionOf(variables));
  const [units, links] = [await rootUnits(variables), await initramfsLinks(variables)];

  it("the root's units that say what wants them are enabled, and of the layers' units no others are", () => {
    const own = root.filter(({ path: file }) => path.dirname(file) === UNITS && UNIT.test(file));
    const wanted = own.filter(isInstalled).map(nameOf);
    expect(wanted.length).toBeGreaterThan(5);
    expect(units.filter((name) => name.startsWith('lamadist-')).sort()).toEqual(wanted.sort());
  });

  it('everything that is linked in the initramfs is there, and every unit that is there is started', () => {
    const paths = initramfs.map(({ path: file }) => file);
    expect(links.length).toBeGreaterThan(3);
    for (const { path: place, to } of links) expect(paths).toContain(path.resolve(path.dirname(place), to));
    expect(idle(initramfs, linked(links))).toEqual([]);
  });
});
