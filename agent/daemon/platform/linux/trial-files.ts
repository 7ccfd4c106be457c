// SPDX-License-Identifier: Apache-2.0
import { access, open, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { syncFolder } from '../../../shared/sync-folder.ts';
import { writeDurably } from '../../files/durable-file.ts';
import type { TrialRecord } from '../../update/life/event.ts';
import type { TrialMarks } from '../../update/ports.ts';

export interface TrialFolders {
  /** The agent's own state, on the data file system. */
  readonly state: string;
  /** What the units of a trial boot write; root's. */
  readonly records: string;
  /** The agent's part of /run, gone with the boot. */
  readonly runtime: string;
}

/** Plain files, so that the units of a trial boot need nothing of the agent but a folder: see lamadist-trial.service. */
export function trialMarks({ state, runtime }: TrialFolders): TrialMarks {
  const armed = join(state, 'armed');
  return {
    arm: (operationId, targetBootname, bootId) =>
      writeDurably(armed, `OPERATION=${operationId}\nTARGET=${targetBootname}\nBOOT_ID=${bootId}\n`),
    async disarm() {
      await rm(armed, { force: true });
      await syncFolder(dirname(armed));
    },
    committed: () => writeFile(join(runtime, 'committed'), ''),
    gate: (verdict) => writeFile(join(runtime, 'gate'), `${verdict}\n`),
  };
}

/** Whether the slot of this boot was committed, in this boot or before it. */
export async function isCommitted({ runtime }: TrialFolders): Promise<boolean> {
  return access(join(runtime, 'committed')).then(
    () => true,
    () => false,
  );
}

/** The file only grows, by a line or two each update; older trials than these say nothing about the one under way. */
const MAX_READ_BYTES = 64 << 10;
const LINE = /^(?<operationId>[0-9a-f-]{36}) (?<bootId>[0-9a-f-]{36}) \S+ (?<what>trial|deadline|agent-failed)(?: (?<detail>.*))?$/;

/** What the units of trial boots wrote down, oldest first. Lines that are none of theirs are passed over. */
export async function readTrialRecords({ records }: TrialFolders): Promise<TrialRecord[]> {
  const text = await readEnd(join(records, 'boots'));
  return text.split('\n').flatMap((line) => {
    const { operationId, bootId, what, detail = '' } = LINE.exec(line)?.groups ?? {};
    return operationId && bootId && what ? [{ operationId, bootId, what: what as TrialRecord['what'], detail }] : [];
  });
}

async function readEnd(path: string): Promise<string> {
  let file: Awaited<ReturnType<typeof open>>;
  try {
    file = await open(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
  try {
    const { size } = await file.stat();
    const buffer = Buffer.alloc(Math.min(size, MAX_READ_BYTES));
    await file.read(buffer, 0, buffer.length, size - buffer.length);
    return buffer.toString('utf8');
  } finally {
    await file.close();
  }
}
