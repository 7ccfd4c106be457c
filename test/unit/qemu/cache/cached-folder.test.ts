// SPDX-License-Identifier: Apache-2.0
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { cachedFolder } from '../../../../qemu/cache/cached-folder.ts';

const YESTERDAY = new Date(Date.now() - 86_400_000);

describe('a folder of the cache', () => {
  let cache: string;
  beforeEach(async () => {
    cache = await mkdtemp(path.join(tmpdir(), 'cached-folder-'));
    vi.stubEnv('XDG_CACHE_HOME', cache);
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await rm(cache, { recursive: true });
  });

  const folders = async () => (await readdir(path.join(cache, 'lamadist/made'))).sort();
  const make = (target: string) => writeFile(path.join(target, 'content'), 'whole');
  const addOld = async (name: string) => {
    const folder = path.join(cache, 'lamadist/made', name);
    await mkdir(folder, { recursive: true });
    await utimes(folder, YESTERDAY, YESTERDAY);
  };

  it('is made once when two ask for it at the same time, and both get it whole', async () => {
    let made = 0;
    const slowly = async (target: string) => {
      made += 1;
      await sleep(300);
      await make(target);
    };
    const both = await Promise.all([cachedFolder('image', '1', 2, slowly), cachedFolder('image', '1', 2, slowly)]);
    expect(made).toBe(1);
    for (const folder of both) expect(await readFile(path.join(folder, 'content'), 'utf8')).toBe('whole');
  });

  it('can be asked for again when it could not be made, and nothing is left of the attempt', async () => {
    const failing = cachedFolder('image', '1', 2, () => Promise.reject(new Error('no space')));
    await expect(failing).rejects.toThrow('no space');
    expect(await folders()).toEqual([]);
    await cachedFolder('image', '1', 2, make);
    expect(await folders()).toEqual(['image-1']);
  });

  it('makes room for others of its kind, but not while somebody may still read it', async () => {
    for (const name of ['image-old', 'suspended-old']) await addOld(name);
    await cachedFolder('image', '1', 1, make);
    await cachedFolder('image', '2', 1, make);
    expect(await folders()).toEqual(['image-1', 'image-2', 'suspended-old']);
  });

  it('stays when it is old and asked for in the moment in which another one is made', async () => {
    await addOld('image-old');
    await Promise.all([cachedFolder('image', '1', 1, make), cachedFolder('image', 'old', 1, make)]);
    expect(await folders()).toEqual(['image-1', 'image-old']);
  });

  it('is made although another one goes away while room is made', async () => {
    await mkdir(path.join(cache, 'lamadist/made'), { recursive: true });
    await symlink('gone', path.join(cache, 'lamadist/made/image-gone'));
    await cachedFolder('image', '1', 1, make);
    expect(await folders()).toContain('image-1');
  });
});
