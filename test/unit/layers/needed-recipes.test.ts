// SPDX-License-Identifier: Apache-2.0
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { appendsTo, masks, recipesForHost, recipesOfGraph } from '../../layers/needed-recipes.ts';
import { temporaryFolder } from '../fakes/folder.ts';

describe('an append', () => {
  it.each([
    ['u-boot_%.bbappend', 'u-boot_2024.01.bb', true],
    ['linux-yocto_6.6.bbappend', 'linux-yocto_6.6.bb', true],
    ['linux-yocto_6.6.bbappend', 'linux-yocto_6.12.bb', false],
    ['u-boot_%.bbappend', 'u-boot-tools_2024.01.bb', false],
  ])('%s to %s: %s', (append, recipe, is) => {
    expect(appendsTo(append, recipe)).toBe(is);
  });
});

describe('the recipes of a graph', () => {
  const dot = [
    '"acl.do_patch" [label="acl do_patch\\n:2.3.2-r0\\n/layers/poky/acl_2.3.2.bb"]',
    '"acl-native.do_patch" [label="acl-native do_patch\\n:2.3.2-r0\\nvirtual:native:/layers/poky/acl_2.3.2.bb"]',
    '"acl.do_patch" -> "acl.do_unpack"',
    '"m4-native.do_patch" [label="m4-native do_patch\\n:1.4.19-r0\\nvirtual:native:/layers/poky/m4_1.4.19.bb"]',
  ].join('\n');

  it('are its files, once each, those built for the host too', () => {
    expect([...recipesOfGraph(dot)]).toEqual(['/layers/poky/acl_2.3.2.bb', '/layers/poky/m4_1.4.19.bb']);
  });

  it('that only the host needs are known by name', () => {
    expect(recipesForHost(dot)).toEqual(['m4']);
  });
});

describe('the masks of a layer', () => {
  it('leave what is needed and what we append to, with the appends of others to it, and no more', async () => {
    const layer = await temporaryFolder();
    const files = ['a/a_1.bb', 'a/a_%.bbappend', 'a/b_1.bb', 'c/c_1.bb', 'c/d_1.bb', 'e/e_1+git.bb', 'f/c_1.bbappend', 'f/f_1.bb'];
    for (const file of files) {
      await mkdir(path.join(layer, path.dirname(file)), { recursive: true });
      await writeFile(path.join(layer, file), '');
    }
    const masked = (await masks([layer], new Set([path.join(layer, 'a/a_1.bb')]), ['c_%.bbappend'])).map((mask) => new RegExp(mask));
    const left = files.filter((file) => !masked.some((mask) => mask.test(path.join(layer, file))));
    expect(left).toEqual(['a/a_1.bb', 'a/a_%.bbappend', 'c/c_1.bb', 'f/c_1.bbappend']);
  });
});
