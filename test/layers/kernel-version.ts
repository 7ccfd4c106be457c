// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';

/**
 * What is wrong with the kernel in a graph of BitBake's (task-depends.dot), in sentences: a board may not stay behind the version
 * that OpenEmbedded's recipe has by now, as those do that a layer's append holds at an older commit. A kernel of a board's maker is
 * not compared.
 */
export async function kernelDisappointments(dot: string): Promise<string[]> {
  const [, version, recipe] = /"linux-yocto\.do_compile" \[label="[^"]*?:([\d.]+)\+git[^"]*?\\n(\/[^"\\]+)"\]/.exec(dot) ?? [];
  if (recipe === undefined) return [];
  const [, current] = /^LINUX_VERSION \?= "(.*)"$/m.exec(await readFile(recipe, 'utf8')) ?? [];
  return version === current ? [] : [`its kernel is ${version}, and OpenEmbedded's is ${current}`];
}
