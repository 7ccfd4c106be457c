// SPDX-License-Identifier: Apache-2.0
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { keepRecording, replayRecording, takeSnapshot } from '../../../../../../qemu/vm/machine/recording/recording.ts';
import { VmFolder } from '../../../../../../qemu/vm/machine/vm-folder.ts';
import { entry, FLUSH, head, SECTOR } from '../fakes/log-of-writes.ts';

/** A write, a flush, and a write that is lost if nothing flushes it. */
const LOG = [entry(0, 'a'), entry(0, '', FLUSH), entry(1, 'b'), entry(0, '', FLUSH)];

describe('snapshots of a machine', () => {
  let cache: string;
  let folder: VmFolder;
  beforeEach(async () => {
    cache = await mkdtemp(path.join(tmpdir(), 'recording-'));
    vi.stubEnv('XDG_CACHE_HOME', cache);
    folder = await VmFolder.create();
    await writeFile(folder.diskBefore, Buffer.alloc(2 * SECTOR, '.'));
    await store('vars', 'tpm');
    await logged(0);
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await rm(cache, { recursive: true });
  });

  async function store(vars: string, tpm: string): Promise<void> {
    await writeFile(folder.file('vars.fd'), vars);
    await writeFile(folder.file('tpm/tpm2-00.permall'), tpm);
  }

  async function logged(entries: number): Promise<void> {
    await writeFile(folder.writeLog, Buffer.concat([head(LOG.length), ...LOG.slice(0, entries)]));
  }

  it('say that firmware and TPM had stored the same at two moments, and that one of them had not', async () => {
    const first = await takeSnapshot(folder);
    await logged(1);
    const later = await takeSnapshot(folder);
    expect(later).toEqual({ flash: first.flash, logBytes: first.logBytes + 2 * SECTOR });
    await store('other vars', 'tpm');
    const ofVars = await takeSnapshot(folder);
    await store('vars', 'other tpm');
    const ofTpm = await takeSnapshot(folder);
    expect(new Set([first.flash, ofVars.flash, ofTpm.flash]).size).toBe(3);
  });

  it('are kept once for each that firmware and TPM had stored', async () => {
    for (let number = 0; number < 3; number += 1) await takeSnapshot(folder);
    expect(await readdir(folder.file('snapshots'))).toHaveLength(1);
  });

  it('lead back to any place of the log with what firmware and TPM had stored then', async () => {
    const { flash } = await takeSnapshot(folder);
    await store('other vars', 'other tpm');
    await logged(LOG.length);
    await takeSnapshot(folder);
    const target = path.join(cache, 'kept');
    await mkdir(target);
    const places = await keepRecording(folder, target);
    expect(places.map(({ lost }) => lost)).toEqual([0, 1, 0, 1, 0]);
    expect(await replayRecording(folder, target, { flash, logBytes: places[3]!.logBytes })).toEqual({ kept: 1, lost: 1 });
    expect((await readFile(folder.disk, 'latin1')).replaceAll(/(.)\1+/g, '$1')).toBe('a.');
    expect(await readFile(folder.file('vars.fd'), 'utf8')).toBe('vars');
    expect(await readFile(folder.file('tpm/tpm2-00.permall'), 'utf8')).toBe('tpm');
  });
});
