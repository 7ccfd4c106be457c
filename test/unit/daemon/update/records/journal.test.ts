// SPDX-License-Identifier: Apache-2.0
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PHASES } from '../../../../../agent/daemon/update/life/state.ts';
import { Journal, type Journaled, worthJournaling } from '../../../../../agent/daemon/update/records/journal.ts';
import { temporaryFolder } from '../../../fakes/folder.ts';
import { OPERATION_ID, STATES } from '../states.ts';

const NOTHING: Journaled = { state: { phase: 'idle' }, failedVersions: [] };
const FAILED = { version: '2', operationId: 'x', code: 'CHECK_FAILED', atMs: 5 };

async function journalHolding(change: (written: Record<string, unknown>) => unknown, state = STATES.trial) {
  const folder = await temporaryFolder();
  const file = join(folder, 'update.json');
  const journal = new Journal(folder);
  await journal.write({ state, failedVersions: [FAILED] });
  await writeFile(file, JSON.stringify(change(JSON.parse(await readFile(file, 'utf8')))));
  return journal;
}

describe('the journal', () => {
  it('is empty where there is no file yet', async () => {
    expect(await new Journal(await temporaryFolder()).read()).toEqual({ journaled: NOTHING });
  });

  it.each(PHASES)('gives back the state of phase %s as it was written', async (phase) => {
    const folder = await temporaryFolder();
    const journaled: Journaled = { state: STATES[phase], failedVersions: [FAILED] };
    await new Journal(folder).write(journaled);
    expect(await new Journal(folder).read()).toEqual({ journaled });
    expect(await readdir(folder)).toEqual(['update.json']);
  });

  it('torn at any byte starts anew, says so, and keeps the damaged file beside', async () => {
    const folder = await temporaryFolder();
    const file = join(folder, 'update.json');
    const journal = new Journal(folder);
    await journal.write({ state: STATES['rolling-back'], failedVersions: [FAILED] });
    const whole = await readFile(file);
    // Only the line feed at the end is not missed.
    for (let length = 0; length < whole.length - 1; length += 1) {
      const torn = whole.subarray(0, length);
      await writeFile(file, torn);
      const { journaled, damage } = await journal.read();
      expect([journaled, damage?.failure.code], `torn after ${length} bytes`).toEqual([NOTHING, 'JOURNAL_UNREADABLE']);
      expect(await readFile(`${file}.damaged`)).toEqual(torn);
      // Its operation is known as soon as the id was on the disk.
      expect(damage?.salvage.operationId).toBe(torn.includes(`${OPERATION_ID}"`) ? OPERATION_ID : '');
    }
    expect(await journal.read()).toEqual({ journaled: NOTHING });
  });

  it.each([
    ['nothing but zeros, as after a power cut', '\0'.repeat(700)],
    ['another document', '{"state":{"phase":"idle"}}'],
    ['a state without its fields', '{"schema":1,"readableSince":1,"state":{"phase":"trial"},"failedVersions":[]}'],
    ['an unknown phase', '{"schema":1,"readableSince":1,"state":{"phase":"dreaming"},"failedVersions":[]}'],
  ])('that holds %s is damaged', async (_what, text) => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'update.json'), text);
    expect(await new Journal(folder).read()).toMatchObject({ journaled: NOTHING, damage: { failure: { code: 'JOURNAL_UNREADABLE' } } });
  });

  it('of a newer agent is read, and what is unknown in it and in its memory is written again as it was', async () => {
    const folder = await temporaryFolder();
    const file = join(folder, 'update.json');
    const journal = new Journal(folder);
    const remembered = { ...FAILED, weather: 'rain' };
    const newer = {
      schema: 2,
      readableSince: 1,
      moon: { phase: 'full' },
      state: { ...STATES.trial, mood: 'fine' },
      failedVersions: [remembered],
    };
    await writeFile(file, JSON.stringify(newer));
    const { journaled } = await journal.read();
    expect(journaled).toEqual({ state: STATES.trial, failedVersions: [remembered], others: { moon: { phase: 'full' } } });
    await journal.write({ ...journaled, state: STATES.committed });
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({ ...newer, schema: 1, state: STATES.committed });
  });

  it('of an earlier agent, which wrote less into it, is damaged when something is missing that must be there', async () => {
    const journal = await journalHolding(({ state, ...others }) => ({
      ...others,
      schema: 0,
      readableSince: 0,
      state: { ...(state as object), attempts: undefined },
    }));
    const { damage } = await journal.read();
    expect(damage).toMatchObject({
      failure: { message: expect.stringContaining('attempts') },
      salvage: { operationId: OPERATION_ID, failedVersions: [FAILED] },
    });
  });

  it('of a newer agent that must not be read is left alone as damaged', async () => {
    const journal = await journalHolding((written) => ({ ...written, schema: 3, readableSince: 2 }));
    const { journaled, damage } = await journal.read();
    expect(journaled).toEqual(NOTHING);
    expect(damage?.salvage).toEqual({ operationId: OPERATION_ID, operation: STATES.trial.operation, failedVersions: [FAILED] });
    expect(damage?.failure.message).toBe('Cannot use the journal: a newer agent wrote it in format 2, and this one reads up to 1');
  });

  it('cannot be written where there is no folder, and says so', async () => {
    const folder = await temporaryFolder();
    await rm(folder, { recursive: true });
    await expect(new Journal(folder).write(NOTHING)).rejects.toMatchObject({ code: 'JOURNAL_UNWRITABLE' });
  });

  it('that is no file, or whose damaged file cannot be kept, is not taken for an empty one', async () => {
    const folder = await temporaryFolder();
    const file = join(folder, 'update.json');
    await mkdir(file);
    await expect(new Journal(folder).read()).rejects.toMatchObject({ code: 'JOURNAL_UNREADABLE' });
    await rm(file, { recursive: true });
    await writeFile(file, 'torn');
    await mkdir(`${file}.damaged`);
    await expect(new Journal(folder).read()).rejects.toMatchObject({ code: 'JOURNAL_UNREADABLE' });
  });
});

describe('what is worth a write to the disk', () => {
  it.each(PHASES)('is not the same state of phase %s again', (phase) => {
    expect(worthJournaling(STATES[phase], structuredClone(STATES[phase]))).toBe(false);
  });

  it('is not progress, but everything else', () => {
    expect(worthJournaling(STATES.downloading, { ...STATES.downloading, fetched: { bytes: 1, sizeBytes: 2 } })).toBe(false);
    expect(worthJournaling(STATES.installing, { ...STATES.installing, percent: 90, message: 'Done' })).toBe(false);
    const cancelled = { code: 'CANCELLED', message: 'no', failedChecks: [] };
    expect(worthJournaling(STATES.installing, { ...STATES.installing, cancelled })).toBe(true);
    expect(worthJournaling(STATES.trial, { ...STATES.trial, attempts: 2 })).toBe(true);
    expect(worthJournaling(STATES.installing, STATES.installed)).toBe(true);
  });
});
