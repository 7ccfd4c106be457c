// SPDX-License-Identifier: Apache-2.0
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROLLBACK_CODES } from '../../../../../agent/daemon/update/life/rollback-code.ts';
import type { EndedUpdate } from '../../../../../agent/daemon/update/life/state.ts';
import { showsBadVersion } from '../../../../../agent/daemon/update/records/failed-version.ts';
import { History } from '../../../../../agent/daemon/update/records/history.ts';
import { temporaryFolder } from '../../../fakes/folder.ts';
import { STATES } from '../states.ts';

/** An update that was asked for at a moment, under an id that says so. */
function update(atMs: number, id = `id-${atMs}`): EndedUpdate {
  return { ...STATES.failed, operation: { ...STATES.failed.operation, id }, phaseChanges: [{ phase: 'inspecting', atMs }] };
}

async function historyOf(count: number) {
  const folder = await temporaryFolder();
  const history = new History(folder);
  for (let atMs = 1; atMs <= count; atMs += 1) await history.keep(update(atMs));
  return { history, files: join(folder, 'history') };
}

const ids = (updates: readonly EndedUpdate[]) => updates.map(({ operation }) => operation.id);

/** Every page of so many, as somebody who follows the tokens reads them. */
async function pages(history: History, count: number): Promise<string[][]> {
  const read: string[][] = [];
  let token = '';
  do {
    const { updates, next } = await history.page(count, token);
    read.push(ids(updates));
    token = next;
  } while (token !== '');
  return read;
}

describe('the history', () => {
  it('is empty, and finds nothing, before the first update ended', async () => {
    const history = new History(await temporaryFolder());
    expect(await history.page(10)).toEqual({ updates: [], next: '' });
    expect(await history.find('id-1')).toBeUndefined();
  });

  it('shows the newest first, whatever the clock said when it was asked for', async () => {
    const history = new History(await temporaryFolder());
    for (const atMs of [900, 1_000_000, 20, 21]) await history.keep(update(atMs));
    expect(ids((await history.page(10)).updates)).toEqual(['id-21', 'id-20', 'id-1000000', 'id-900']);
  });

  it('is full and keeps an update of 1970 all the same', async () => {
    const { history } = await historyOf(0);
    for (let atMs = 1_001; atMs <= 1_100; atMs += 1) await history.keep(update(atMs));
    await history.keep(update(0));
    expect(await history.find('id-0')).toEqual(update(0));
    expect(await history.find('id-1001')).toBeUndefined();
  });

  it('knows which versions failed here and were not committed since', async () => {
    const history = new History(await temporaryFolder());
    const rolledBack = (version: string, id: string): EndedUpdate => {
      const { operation, bundle } = STATES['rolled-back'];
      return { ...STATES['rolled-back'], operation: { ...operation, id }, bundle: { ...bundle, version } };
    };
    const committed = { ...STATES.committed, operation: { ...STATES.committed.operation, id: 'd' } };
    await history.keep(rolledBack('2', 'a'));
    await history.keep(rolledBack('3', 'b'));
    await history.keep({ ...rolledBack('4', 'c'), reason: { code: 'REQUESTED', message: '', failedChecks: [] } } as EndedUpdate);
    await history.keep(committed);
    expect(await history.failedVersions()).toMatchObject([{ version: '3', operationId: 'b', code: 'CHECK_FAILED' }]);
  });

  it.each([
    [1, [['id-4'], ['id-3'], ['id-2'], ['id-1']]],
    [
      2,
      [
        ['id-4', 'id-3'],
        ['id-2', 'id-1'],
      ],
    ],
    [3, [['id-4', 'id-3', 'id-2'], ['id-1']]],
    [4, [['id-4', 'id-3', 'id-2', 'id-1']]],
    [5, [['id-4', 'id-3', 'id-2', 'id-1']]],
  ])('is read whole, and nothing twice, in pages of %i', async (count, expected) => {
    const { history } = await historyOf(4);
    expect(await pages(history, count)).toEqual(expected);
  });

  it('goes on after a token whose update is gone', async () => {
    const { history } = await historyOf(100);
    const { next } = await history.page(98);
    for (let atMs = 101; atMs <= 120; atMs += 1) await history.keep(update(atMs));
    expect(await history.page(98, next)).toEqual({ updates: [], next: '' });
  });

  it.each(['0', '../../update', '\0', 'constructor', 'id-2', '9'.repeat(5000)])('reads no other file for the token %j', async (token) => {
    const { history, files } = await historyOf(3);
    await writeFile(join(files, '../update.json'), JSON.stringify(update(9, 'journal')));
    expect(['id-3', 'id-2', 'id-1']).toEqual(expect.arrayContaining(ids((await history.page(10, token)).updates)));
  });

  it('keeps a hundred', async () => {
    const { history, files } = await historyOf(103);
    expect(await readdir(files)).toHaveLength(100);
    expect(await history.find('id-3')).toBeUndefined();
    expect(await history.find('id-4')).toEqual(update(4));
  });

  it('replaces an update that is written again', async () => {
    const { history } = await historyOf(1);
    const again = { ...update(1), reason: { code: 'INTERNAL', message: 'another', failedChecks: [] } };
    await history.keep(again as EndedUpdate);
    expect((await history.page(10)).updates).toEqual([again]);
  });

  it('leaves out what cannot be read, and still shows what is older', async () => {
    const { history, files } = await historyOf(4);
    const [first = '', second = '', third = ''] = (await readdir(files)).sort().reverse();
    await writeFile(join(files, first), '{"phase":');
    await writeFile(join(files, second), JSON.stringify(STATES.trial));
    await writeFile(join(files, `${third}.tmp`), 'half');
    await writeFile(join(files, 'README'), 'not an update');
    expect(await pages(history, 2)).toEqual([[], ['id-2', 'id-1']]);
    expect(await history.find('id-4')).toBeUndefined();
  });

  it.each(['id', '2', '', '.', '../update', 'd-2'])('finds nothing for the piece of an id %j', async (piece) => {
    const { history } = await historyOf(3);
    await history.keep(update(4, 'a-b-c'));
    expect(await history.find(piece)).toBeUndefined();
    expect(await history.find('c')).toBeUndefined();
    expect(await history.find('a-b-c')).toEqual(update(4, 'a-b-c'));
  });

  it('says so when it cannot be written', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'history'), 'a file');
    await expect(new History(folder).keep(update(1))).rejects.toMatchObject({ code: 'JOURNAL_UNWRITABLE' });
  });

  it('does not take a folder that it cannot read for an empty one', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'history'), 'a file');
    await expect(new History(folder).page(1)).rejects.toThrow('ENOTDIR');
  });
});

describe('an ended update shows a bad version', () => {
  const blameless = new Set(['ACTIVATION_FAILED', 'COMMIT_FAILED', 'REQUESTED', 'CANCELLED']);

  it.each(Object.keys(ROLLBACK_CODES))('or not, when it was rolled back for %s', (code) => {
    const rolledBack = { ...STATES['rolled-back'], reason: { code, message: '', failedChecks: [] } };
    expect(showsBadVersion(rolledBack)).toBe(!blameless.has(code));
  });

  it('never when it failed before its slot was activated, or was committed', () => {
    const reason = { code: 'CHECK_FAILED', message: '', failedChecks: [] };
    expect([STATES.committed, { ...STATES.failed, reason }].map(showsBadVersion)).toEqual([false, false]);
  });
});
