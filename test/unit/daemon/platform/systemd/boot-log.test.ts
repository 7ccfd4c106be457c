// SPDX-License-Identifier: Apache-2.0
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bootLogReader } from '../../../../../agent/daemon/platform/systemd/boot-log.ts';

const BOOT = '0c6c2f6e8f7a4d7c9d3a1b2c3d4e5f60';
const inTime = () => AbortSignal.timeout(20_000);
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lamadist-journal-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A journalctl made of shell commands; it writes down its arguments. */
async function reader(commands: string) {
  const program = join(folder, 'journalctl');
  await writeFile(program, `#!/bin/sh\nprintf '%s\\n' "$@" > ${folder}/arguments\n${commands}\n`);
  await chmod(program, 0o755);
  return bootLogReader(program);
}

describe('the log of a boot', () => {
  it('is read oldest first, the lines of an entry together', async () => {
    const read = await reader("printf '%s\\n' '2026-11-21T03:00:02 node b: two' '    and more' '2026-11-21T03:00:01 node a: one'");
    expect(await read(BOOT, inTime())).toBe('2026-11-21T03:00:01 node a: one\n2026-11-21T03:00:02 node b: two\n    and more');
  });

  it('is asked for by the id of the boot, with or without its dashes', async () => {
    const read = await reader('true');
    expect(await read('0C6C2F6E-8f7a-4d7c-9d3a-1b2c3d4e5f60', inTime())).toBe('');
    const given = (await readFile(join(folder, 'arguments'), 'utf8')).trim().split('\n');
    expect(given).toContain(`--boot=${BOOT}`);
    expect(given).toContain('--reverse');
  });

  it.each(['', '-1', '0', `${BOOT}+1`, `${BOOT} --file=/etc/shadow`])('is not asked for by %j', async (id) => {
    const read = await reader('true');
    await expect(read(id, inTime())).rejects.toMatchObject({ code: 'INTERNAL', message: expect.stringContaining('not the id of a boot') });
  });

  it.each([
    'Data from the specified boot (x) is not available: No such boot ID in journal',
    'No journal boot entry found for the specified boot (x+0).',
    'No journal files were found.',
  ])('is empty when journalctl says: %s', async (words) => {
    const read = await reader(`echo '${words}' >&2; exit 1`);
    expect(await read(BOOT, inTime())).toBe('');
  });

  it('that cannot be read is a failure with the words of journalctl', async () => {
    const read = await reader('echo "No journal files were opened due to insufficient permissions." >&2; exit 1');
    await expect(read(BOOT, inTime())).rejects.toMatchObject({
      code: 'INTERNAL',
      message: `Cannot read the log of boot ${BOOT}: No journal files were opened due to insufficient permissions.`,
    });
  });

  it('keeps its end, in whole lines, when it is too long', async () => {
    const read = await reader('i=0; while [ $i -lt 2000 ]; do echo "line $i $(printf %0100d 0)"; i=$((i+1)); done');
    const log = await read(BOOT, inTime());
    expect(log.length).toBeLessThanOrEqual(64 << 10);
    expect(log.length).toBeGreaterThan(60 << 10);
    expect(log.split('\n').at(-1)).toMatch(/^line 0 0{100}$/);
    expect(log.split('\n')[0]).toMatch(/^line \d+ 0{100}$/);
  });

  it('is not waited for longer than the caller wants', async () => {
    const read = await reader('exec sleep 60');
    await expect(read(BOOT, AbortSignal.timeout(100))).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  });

  it('is a failure without a journalctl', async () => {
    await expect(bootLogReader(join(folder, 'absent'))(BOOT, inTime())).rejects.toMatchObject({
      code: 'INTERNAL',
      message: expect.stringContaining('ENOENT'),
    });
  });
});
