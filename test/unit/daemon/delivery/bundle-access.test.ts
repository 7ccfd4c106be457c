// SPDX-License-Identifier: Apache-2.0
import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BundleAccessStore, NO_ACCESS } from '../../../../agent/daemon/delivery/bundle-access.ts';
import { temporaryFolder } from '../../fakes/folder.ts';

const ACCESS = { headers: { authorization: 'Bearer abc' }, certificate: 'cert', key: 'key', query: '?token=abc' };

async function storing() {
  const folder = join(await temporaryFolder(), 'access');
  return { folder, store: new BundleAccessStore(folder) };
}

describe("what a bundle's server wants to see", () => {
  it('is kept for its operation, through restarts of the agent', async () => {
    const { folder, store } = await storing();
    await store.keep('one', ACCESS);
    expect(await new BundleAccessStore(folder).of('one')).toEqual(ACCESS);
    expect(await store.of('another')).toEqual(NO_ACCESS);
  });

  it('is readable by the agent alone', async () => {
    const { folder, store } = await storing();
    await store.keep('one', ACCESS);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect((await stat(join(folder, 'one.json'))).mode & 0o777).toBe(0o600);
  });

  it('is forgotten with its operation, and with all of them', async () => {
    const { folder, store } = await storing();
    await store.keep('one', ACCESS);
    await store.keep('two', ACCESS);
    await store.forget('two');
    expect(await readdir(folder)).toEqual(['one.json']);
    await store.clear();
    expect(await store.of('one')).toEqual(NO_ACCESS);
  });

  it('is not quoted when the file is damaged', async () => {
    const { folder, store } = await storing();
    await store.keep('one', ACCESS);
    await writeFile(join(folder, 'one.json'), '{"headers":{"authorization":"Bearer abc');
    const error = await store.of('one').catch((thrown) => thrown);
    expect(error).toMatchObject({ code: 'JOURNAL_UNREADABLE' });
    expect(String(error)).not.toContain('Bearer');
  });
});
