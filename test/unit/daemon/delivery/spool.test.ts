// SPDX-License-Identifier: Apache-2.0
import { mkdir, readdir, readFile, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Spool, type SpoolOptions } from '../../../../agent/daemon/delivery/spool.ts';
import { BROKEN_OFF, FakeSource } from '../../fakes/bundle.ts';
import { temporaryFolder } from '../../fakes/folder.ts';

const CONTENT = Buffer.from(Array.from({ length: 1_000 }, (_, index) => index % 251));
const LIVE = new AbortController().signal;

async function spooling(changes: Partial<SpoolOptions> = {}) {
  const folder = join(await temporaryFolder(), 'download');
  const spool = new Spool({ folder, maximumBytes: 10_000, reserveBytes: 0, ...changes });
  const told: number[] = [];
  const offsets: number[] = [];
  const fill = (source: FakeSource, name = 'https://images.lan/v2', signal = LIVE) => {
    const reader = source.reader();
    const rest = (offset: number) => {
      offsets.push(offset);
      return reader.read(offset, reader.sizeBytes - offset, signal);
    };
    return spool.fill(name, reader, rest, (bytes) => told.push(bytes), signal);
  };
  return { folder, spool, fill, told, offsets };
}

/** A source that breaks off once, after so many bytes. */
function breaking(bytes: number, content = CONTENT): FakeSource {
  const source = new FakeSource(content);
  source.breaks.push(bytes);
  return source;
}

describe('a spool', () => {
  it('brings a bundle whole to the disk, for RAUC to read, and tells how far it is', async () => {
    const { folder, fill, told } = await spooling();
    const path = await fill(new FakeSource(CONTENT));
    expect(path).toMatch(new RegExp(`^${folder}/[0-9a-f]{32}\\.raucb$`));
    expect(await readFile(path)).toEqual(CONTENT);
    expect((await stat(path)).mode & 0o777).toBe(0o644);
    expect([told[0], told.at(-1)]).toEqual([0, 1_000]);
    expect(told).toEqual([...told].sort((a, b) => a - b));
  });

  it('goes on with a part of the same bundle, in another operation too', async () => {
    const { fill, offsets, told } = await spooling();
    const source = breaking(300);
    await expect(fill(source)).rejects.toBe(BROKEN_OFF);
    expect(await readFile(await fill(source))).toEqual(CONTENT);
    expect(offsets).toEqual([0, 300]);
    expect(told.at(-1)).toBe(1_000);
  });

  it('does not fetch again what is there whole', async () => {
    const { fill, offsets } = await spooling();
    await fill(new FakeSource(CONTENT));
    expect(await readFile(await fill(new FakeSource(CONTENT)))).toEqual(CONTENT);
    expect(offsets).toEqual([0, 1_000]);
  });

  it.each<[string, Partial<Pick<FakeSource, 'validator' | 'content'>>, string?]>([
    ['holds another content by now', { validator: '"2"' }],
    ['holds a larger one by now', { content: Buffer.alloc(1_001, 'x') }],
    ['is another one', {}, 'https://elsewhere.lan/v2'],
  ])('begins anew where the source %s, and keeps the new one alone', async (_what, change, name) => {
    const { folder, fill, offsets } = await spooling();
    const source = breaking(300);
    await expect(fill(source)).rejects.toBe(BROKEN_OFF);
    const path = await fill(Object.assign(source, change), name);
    expect(await readFile(path)).toEqual(source.content);
    expect(offsets).toEqual([0, 0]);
    expect(await readdir(folder)).toEqual([basename(path)]);
  });

  it('begins anew where the source cannot tell its content', async () => {
    const { fill, offsets } = await spooling();
    const source = breaking(300);
    source.validator = '';
    await expect(fill(source)).rejects.toBe(BROKEN_OFF);
    source.content = Buffer.alloc(1_000, 'x');
    expect(await readFile(await fill(source))).toEqual(source.content);
    expect(offsets).toEqual([0, 0]);
  });

  it('begins anew when what is there is longer than the bundle', async () => {
    const { fill, offsets } = await spooling();
    await truncate(await fill(new FakeSource(CONTENT)), 1_001);
    expect(await readFile(await fill(new FakeSource(CONTENT)))).toEqual(CONTENT);
    expect(offsets).toEqual([0, 0]);
  });

  it('refuses a bundle that is larger than allowed before it asks for any of it', async () => {
    const { fill, offsets } = await spooling({ maximumBytes: 999 });
    const message = 'Cannot fetch the bundle: it has 1000 bytes, and at most 999 are allowed';
    await expect(fill(new FakeSource(CONTENT))).rejects.toMatchObject({ code: 'BUNDLE_TOO_LARGE', message });
    expect(offsets).toEqual([]);
  });

  it('refuses a bundle for which the disk has no room, before it asks for any of it', async () => {
    const { fill, offsets } = await spooling({ reserveBytes: Number.MAX_SAFE_INTEGER });
    const message = 'Cannot fetch the bundle: it needs 1000 bytes, and 0 are free for it';
    await expect(fill(new FakeSource(CONTENT))).rejects.toMatchObject({ code: 'NO_SPACE', message });
    expect(offsets).toEqual([]);
  });

  it('says so when the disk is full in the middle of it', async () => {
    const { folder, fill } = await spooling();
    const path = await fill(new FakeSource(CONTENT));
    const full = await spooling();
    await mkdir(full.folder);
    // Writes to it fail with ENOSPC (full(4)).
    await symlink('/dev/full', join(full.folder, basename(path)));
    await expect(full.fill(new FakeSource(CONTENT))).rejects.toMatchObject({ code: 'NO_SPACE' });
    expect(await readdir(folder)).toEqual([basename(path)]);
  });

  it('ends when nobody wants the bundle any longer', async () => {
    const { fill } = await spooling();
    await expect(fill(new FakeSource(CONTENT), undefined, AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
  });

  it('is empty once it was cleared, and it does not matter whether there was anything', async () => {
    const { folder, spool, fill } = await spooling();
    await spool.clear();
    await fill(new FakeSource(CONTENT));
    await writeFile(join(folder, 'stray'), '');
    await spool.clear();
    expect(await readdir(folder)).toEqual([]);
  });
});
