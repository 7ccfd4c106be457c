// SPDX-License-Identifier: Apache-2.0
import { access, chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { LogEntry, LogQuery } from '../../../../../agent/daemon/node/node-log.ts';
import { journalReader } from '../../../../../agent/daemon/platform/systemd/journal-reader.ts';
import { temporaryFolder } from '../../../fakes/folder.ts';

const inTime = () => AbortSignal.timeout(20_000);
const QUERY: LogQuery = { units: [], priority: undefined, since: undefined, boot: '', afterCursor: '', lines: 0, follow: false };
const line = (number: number | string) => `{"__CURSOR":"s=a;i=${number}","__REALTIME_TIMESTAMP":"1700000000000000","MESSAGE":"m${number}"}`;

/** A journalctl made of shell commands; it writes down its arguments and its process id. */
async function reader(commands: string) {
  const folder = await temporaryFolder();
  const program = join(folder, 'journalctl');
  await writeFile(program, `#!/bin/sh\nprintf '%s\\n' "$@" > ${folder}/arguments\necho $$ > ${folder}/pid\n${commands}\n`);
  await chmod(program, 0o755);
  const text = async (name: string) => (await readFile(join(folder, name), 'utf8')).trim();
  return { read: journalReader(program), folder, text };
}

async function all(entries: AsyncIterable<LogEntry>): Promise<string[]> {
  const messages: string[] = [];
  for await (const { message } of entries) messages.push(message);
  return messages;
}

async function isGone(pid: number): Promise<boolean> {
  for (let look = 0; look < 100; look += 1) {
    try {
      process.kill(pid, 0);
    } catch {
      return true;
    }
    await sleep(50);
  }
  return false;
}

describe('the journal', () => {
  it('is read entry by entry, and what is none is passed over', async () => {
    const { read } = await reader(`cat <<'END'\n${line(1)}\nnonsense\n${line(2)}\nEND`);
    expect(await all(read(QUERY, inTime()))).toEqual(['m1', 'm2']);
  });

  it('is asked with one argument for each filter', async () => {
    const { read, text } = await reader('true');
    const query = { units: ['a.service', '-b.service'], priority: 3, since: new Date(1_500), boot: '-1', lines: 7, follow: true };
    await all(read({ ...QUERY, ...query }, inTime()));
    const given = (await text('arguments')).split('\n');
    for (const option of ['--unit=a.service', '--unit=-b.service', '--priority=3', '--since=@1.5', '--boot=-1', '--lines=7', '--follow']) {
      expect(given).toContain(option);
    }
    expect(given.every((option) => option.startsWith('--'))).toBe(true);
  });

  it('is gone on with after a cursor, without leaving anything out', async () => {
    const { read, text } = await reader('true');
    await all(read({ ...QUERY, afterCursor: 's=a;i=1', lines: 7, follow: true }, inTime()));
    const given = (await text('arguments')).split('\n');
    expect(given).toContain('--after-cursor=s=a;i=1');
    expect(given).toContain('--no-tail');
    expect(given).not.toContain('--lines=7');
  });

  it('is gone on with by so many entries at a time', async () => {
    const { read, text } = await reader('true');
    await all(read({ ...QUERY, afterCursor: 's=a;i=1', lines: 7 }, inTime()));
    expect((await text('arguments')).split('\n')).toEqual(expect.arrayContaining(['--after-cursor=s=a;i=1', '--lines=7']));
  });

  it('is empty where there is none', async () => {
    const { read } = await reader('echo "No journal files were found." >&2; exit 1');
    expect(await all(read(QUERY, inTime()))).toEqual([]);
  });

  it.each([
    ['Data from the specified boot (-5) is not available: No such boot ID in journal', 'INVALID_REQUEST', 'it holds no such boot'],
    ['Failed to seek to cursor: Invalid argument', 'INVALID_REQUEST', 'the cursor is none'],
    ['No journal files were opened due to insufficient permissions.', 'INTERNAL', 'insufficient permissions'],
  ])('that says "%s" is a failure', async (words, code, message) => {
    const { read } = await reader(`echo '${words}' >&2; exit 1`);
    await expect(all(read(QUERY, inTime()))).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
  });

  it('whose reader is ended with the agent is no failure for who follows, and one for who does not', async () => {
    const { read } = await reader(`echo '${line(1)}'; kill -TERM $$`);
    expect(await all(read({ ...QUERY, follow: true }, inTime()))).toEqual(['m1']);
    await expect(all(read(QUERY, inTime()))).rejects.toMatchObject({ message: 'Cannot read the log: journalctl was ended with SIGTERM' });
  });

  it('is a failure without a journalctl', async () => {
    await expect(all(journalReader('/nonexistent/journalctl')(QUERY, inTime()))).rejects.toMatchObject({
      message: expect.stringContaining('ENOENT'),
    });
  });

  it('is no longer read when the signal ends it', async () => {
    const { read, text } = await reader(`echo '${line(1)}'; exec sleep 60`);
    const gone = new AbortController();
    const seen: string[] = [];
    for await (const { message } of read({ ...QUERY, follow: true }, gone.signal)) {
      seen.push(message);
      gone.abort();
    }
    expect(seen).toEqual(['m1']);
    expect(await isGone(Number(await text('pid')))).toBe(true);
  });

  it('is no longer read when nobody takes any more', async () => {
    const { read, text } = await reader(`echo '${line(1)}'; exec sleep 60`);
    for await (const _ of read({ ...QUERY, follow: true }, inTime())) break;
    expect(await isGone(Number(await text('pid')))).toBe(true);
  });

  it('is read no faster than it is taken', async () => {
    // Far more than fits into a pipe and the buffers of a stream.
    const { read, folder } = await reader(`yes '${line('n')}' | head -c 5000000; touch "$(dirname "$0")/written"`);
    const written = () => access(join(folder, 'written'));
    let taken = 0;
    for await (const _ of read(QUERY, inTime())) {
      taken += 1;
      if (taken === 1) {
        await sleep(1_000);
        await expect(written()).rejects.toMatchObject({ code: 'ENOENT' });
      }
    }
    await written();
    expect(taken).toBeGreaterThan(50_000);
  });
});
