// SPDX-License-Identifier: Apache-2.0
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { kernelDisappointments } from '../../layers/kernel-version.ts';
import { temporaryFolder } from '../fakes/folder.ts';

let folder = '';
beforeEach(async () => {
  folder = await temporaryFolder();
  await writeFile(path.join(folder, 'linux-yocto_6.6.bb'), 'LINUX_VERSION ?= "6.6.111"\n');
});

const graph = (name: string, version: string) =>
  `"${name}.do_compile" [label="${name} do_compile\\n:${version}+git-r0\\n${folder}/linux-yocto_6.6.bb"]\n`;

describe("a board's kernel", () => {
  it('is as new as that of the recipe', async () => {
    expect(await kernelDisappointments(graph('linux-yocto', '6.6.111'))).toEqual([]);
  });

  it('disappoints when an append holds it at an older commit', async () => {
    expect(await kernelDisappointments(graph('linux-yocto', '6.6.21'))).toEqual(["its kernel is 6.6.21, and OpenEmbedded's is 6.6.111"]);
  });

  it("is not compared when it is the maker's own", async () => {
    expect(await kernelDisappointments(graph('linux-jammy-nvidia-tegra', '5.15.185'))).toEqual([]);
  });
});
