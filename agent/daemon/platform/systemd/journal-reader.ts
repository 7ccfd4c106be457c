// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Failure } from '../../../shared/failure.ts';
import type { LogEntry, LogQuery, ReadLog } from '../../node/node-log.ts';
import { boundedLines } from './bounded-lines.ts';
import { FIELDS, journalEntry } from './journal-entry.ts';

/** journalctl leaves out what is longer than 4096 bytes, and writes a byte as four characters at most. */
const MAX_LINE_LENGTH = 256 << 10;
const KEPT_WORDS = 2_000;
/** How it says that a boot is not there, from systemd 252 to 257. */
const NO_SUCH_BOOT = /No such boot ID in journal|No journal boot entry found|boot .* not available/i;
const NO_FILES = /No journal files were found/;
const BAD_CURSOR = /Failed to (?:seek to|parse) cursor/i;

/** Reads the journal with this program, which may need the group systemd-journal. */
export function journalReader(journalctl: string): ReadLog {
  return async function* (query, signal) {
    signal.throwIfAborted();
    const env = { PATH: process.env.PATH ?? '/usr/bin:/bin', LC_ALL: 'C.UTF-8' };
    const child = spawn(journalctl, options(query), { stdio: ['ignore', 'pipe', 'pipe'], env });
    const end = () => child.kill('SIGKILL');
    signal.addEventListener('abort', end, { once: true });
    const exit = exitOf(child);
    try {
      yield* entries(child.stdout);
      const ended = await exit;
      // systemd ends all processes of the agent's unit at once. Who follows comes back to the next agent.
      if (query.follow && ended.killedBy === 'SIGTERM') return;
      const failure = failureOf(ended, signal);
      if (failure) throw failure;
    } finally {
      signal.removeEventListener('abort', end);
      end();
      await exit;
    }
  };
}

export const readJournal: ReadLog = journalReader('journalctl');

/** Every value is one argument of its own, behind an equals sign: none can be taken for another option. */
function options({ units, priority, since, boot, afterCursor, lines, follow }: LogQuery): string[] {
  return [
    '--output=json',
    `--output-fields=${FIELDS.join(',')}`,
    '--quiet',
    '--no-pager',
    ...units.map((unit) => `--unit=${unit}`),
    ...(priority === undefined ? [] : [`--priority=${priority}`]),
    ...(since ? [`--since=@${since.getTime() / 1000}`] : []),
    ...(boot === '' ? [] : [`--boot=${boot}`]),
    ...(follow ? ['--follow'] : []),
    ...(afterCursor === '' ? [] : [`--after-cursor=${afterCursor}`]),
    // From a cursor on, journalctl counts forwards.
    lines > 0 && !(follow && afterCursor !== '') ? `--lines=${lines}` : '--no-tail',
  ];
}

async function* entries(stdout: AsyncIterable<Buffer>): AsyncGenerator<LogEntry> {
  for await (const line of boundedLines(stdout, MAX_LINE_LENGTH)) {
    const entry = journalEntry(line);
    if (entry) yield entry;
  }
}

interface Exit {
  readonly error?: Error;
  readonly code?: number | null;
  readonly killedBy?: NodeJS.Signals | null;
  readonly stderr: string;
}

/** How the program ended; never rejects. */
async function exitOf(child: ChildProcess): Promise<Exit> {
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (words: string) => {
    stderr = (stderr + words).slice(-KEPT_WORDS);
  });
  try {
    const [code, killedBy] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
    return { code, killedBy, stderr: stderr.trim() };
  } catch (error) {
    return { error: error as Error, stderr: '' };
  }
}

function failureOf({ error, code, killedBy, stderr }: Exit, signal: AbortSignal): Failure | undefined {
  if (signal.aborted || code === 0 || NO_FILES.test(stderr)) return undefined;
  if (NO_SUCH_BOOT.test(stderr)) return new Failure('INVALID_REQUEST', 'Cannot read the log: it holds no such boot', { field: 'boot' });
  if (BAD_CURSOR.test(stderr)) return new Failure('INVALID_REQUEST', 'Cannot read the log: the cursor is none', { field: 'after_cursor' });
  return new Failure('INTERNAL', `Cannot read the log: ${error?.message ?? (stderr || `journalctl was ended with ${killedBy ?? code}`)}`);
}
