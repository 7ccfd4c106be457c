// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { codeId } from '../../../../qemu/cache/code-id.ts';

describe('a name for code', () => {
  const files = ['cache-directory', 'cached-folder', 'code-id', 'content-id'].map((name) => `qemu/cache/${name}.ts`);

  it('of a folder is that of all files in it', async () => {
    expect(await codeId(['qemu/cache'])).toBe(await codeId(files));
    expect(await codeId(['qemu/cache'])).not.toBe(await codeId(files.slice(1)));
  });

  it('is not given to what is not there', async () => {
    await expect(codeId(['qemu/nothing.ts'])).rejects.toThrow('nothing.ts');
  });
});
