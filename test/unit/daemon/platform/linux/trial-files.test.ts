// SPDX-License-Identifier: Apache-2.0
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readTrialRecords, type TrialFolders, trialMarks } from '../../../../../agent/daemon/platform/linux/trial-files.ts';
import { temporaryFolder } from '../../../fakes/folder.ts';
import { OPERATION_ID, TRIAL_BOOT } from '../../update/states.ts';

async function folders(): Promise<TrialFolders> {
  const root = await temporaryFolder();
  const made = { state: join(root, 'state'), records: join(root, 'records'), runtime: join(root, 'run') };
  for (const folder of Object.values(made)) await mkdir(folder);
  return made;
}

describe('the marks for a trial', () => {
  it('name what is about to boot, one fact a line, until they are taken back', async () => {
    const places = await folders();
    const marks = trialMarks(places);
    await marks.arm(OPERATION_ID, 'B', TRIAL_BOOT);
    expect(await readFile(join(places.state, 'armed'), 'utf8')).toBe(`OPERATION=${OPERATION_ID}\nTARGET=B\nBOOT_ID=${TRIAL_BOOT}\n`);
    expect(await readdir(places.state)).toEqual(['armed']);
    await marks.disarm();
    await marks.disarm();
    expect(await readdir(places.state)).toEqual([]);
  });

  it('are gone with the boot where they are about it alone', async () => {
    const places = await folders();
    const marks = trialMarks(places);
    await marks.committed();
    await marks.gate('failed');
    await marks.gate('passed');
    expect((await readdir(places.runtime)).sort()).toEqual(['committed', 'gate']);
    expect(await readFile(join(places.runtime, 'gate'), 'utf8')).toBe('passed\n');
  });

  it('are not said to be there when they are not', async () => {
    const places = await folders();
    await rm(places.state, { recursive: true });
    await rm(places.runtime, { recursive: true });
    const marks = trialMarks(places);
    await expect(marks.arm(OPERATION_ID, 'B', TRIAL_BOOT)).rejects.toThrow('ENOENT');
    await expect(marks.committed()).rejects.toThrow('ENOENT');
    await expect(marks.gate('passed')).rejects.toThrow('ENOENT');
  });
});

describe('the records of trial boots', () => {
  const line = (rest: string) => `${OPERATION_ID} ${TRIAL_BOOT} 2026-01-01T00:00:00Z ${rest}`;
  const record = { operationId: OPERATION_ID, bootId: TRIAL_BOOT };

  async function recordsOf(text: string | Buffer) {
    const places = await folders();
    await writeFile(join(places.records, 'boots'), text);
    return readTrialRecords(places);
  }

  it('are none before the first trial', async () => {
    expect(await readTrialRecords(await folders())).toEqual([]);
  });

  it('are read in their order', async () => {
    const text = [line('trial'), line('agent-failed exit-code 1 (oom)'), line('deadline'), ''].join('\n');
    expect(await recordsOf(text)).toEqual([
      { ...record, what: 'trial', detail: '' },
      { ...record, what: 'agent-failed', detail: 'exit-code 1 (oom)' },
      { ...record, what: 'deadline', detail: '' },
    ]);
  });

  it.each([
    ['another word', line('dreaming')],
    ['no word', line('')],
    ['half a line', line('trial').slice(0, -3)],
    ['something before it', `x${line('trial')}`],
    ['no operation', `- ${TRIAL_BOOT} 2026-01-01T00:00:00Z trial`],
    ['zeros, as after a power cut', '\0'.repeat(100)],
    ['bytes that are no text', Buffer.from([0xff, 0xfe, 0x00, 0x0a])],
  ])('leave out a line with %s', async (_what, damaged) => {
    const text = Buffer.concat([Buffer.from(`${line('trial')}\n`), Buffer.from(damaged), Buffer.from(`\n${line('deadline')}\n`)]);
    expect((await recordsOf(text)).map(({ what }) => what)).toEqual(['trial', 'deadline']);
  });

  it('are the newest of a file that has grown for years', async () => {
    const old = `${line('trial')}\n`.repeat(2_000);
    const records = await recordsOf(`${old}${line('deadline last')}\n`);
    expect(records.length).toBeLessThan(2_001);
    expect(records.at(-1)).toEqual({ ...record, what: 'deadline', detail: 'last' });
    expect(new Set(records.map(({ operationId }) => operationId))).toEqual(new Set([OPERATION_ID]));
  });
});
