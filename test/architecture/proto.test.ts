// SPDX-License-Identifier: Apache-2.0
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../unit/fakes/folder.ts';

const ROOT = join(import.meta.dirname, '../..');
const PROTO = join(ROOT, 'proto');
const buf = (...args: string[]) =>
  execa('buf', args, { cwd: PROTO, localDir: ROOT, preferLocal: true, reject: false, all: true, timeout: 60_000 });

describe('the protos', { timeout: 90_000 }, () => {
  it("pass buf's STANDARD rules", async () => {
    expect(await buf('lint')).toMatchObject({ all: '', exitCode: 0 });
  });

  it('break nobody who relies on what was accepted; "npm run proto:accept" accepts a change that is meant', async () => {
    expect(await buf('breaking', '--against', 'accepted.txtpb')).toMatchObject({ all: '', exitCode: 0 });
  });

  it('would be caught breaking somebody', async () => {
    const folder = await temporaryFolder();
    await cp(PROTO, folder, { recursive: true });
    const file = join(folder, 'lamadist/agent/v1/update.proto');
    await writeFile(file, (await readFile(file, 'utf8')).replace('string target_slot = 6;', 'string target_slot = 60;'));
    const { all, exitCode } = await buf('breaking', folder, '--against', 'accepted.txtpb');
    expect(all).toContain('Previously present field "6" with name "target_slot" on message "Update" was deleted');
    expect(exitCode).toBe(100);
  });

  it('are formatted as buf formats them', async () => {
    expect(await buf('format', '--diff', '--exit-code')).toMatchObject({ all: '', exitCode: 0 });
  });
});
