// SPDX-License-Identifier: Apache-2.0
import { type ExecFileException, execFile } from 'node:child_process';
import { Failure } from '../../../shared/failure.ts';
import type { BootLog } from '../../update/ports.ts';

const MAX_BYTES = 64 << 10;
const LINES = 300;
const TIMEOUT_MS = 30_000;
/** What journalctl of systemd 252 to 257 says of a boot, or of a whole journal, that is not there. */
const NO_SUCH_BOOT = /No such boot ID in journal|No journal boot entry found|No journal files were found/;

/** Reads the journal with this program, which may need the group systemd-journal. */
export function bootLogReader(journalctl: string): BootLog {
  return async (bootId, signal) => {
    const id = bootId.replaceAll('-', '').toLowerCase();
    if (!/^[0-9a-f]{32}$/.test(id)) throw new Failure('INTERNAL', `Cannot read the log of boot "${bootId}": this is not the id of a boot`);
    // Newest first, so that what is beyond the limit is the older part.
    const options = [`--boot=${id}`, '--priority=info', `--lines=${LINES}`, '--reverse', '--no-pager', '--quiet', '--output=short-iso'];
    const { error, stdout, stderr } = await run(journalctl, options, signal);
    if (!error) return oldestFirst(stdout);
    if (error.code === TOO_LONG) return oldestFirst(wholeLines(stdout));
    if (NO_SUCH_BOOT.test(stderr)) return '';
    throw failureOf(error, stderr, id, signal);
  };
}

/** The end of a boot's log, oldest line first, at most 64 KiB; empty when the journal does not hold that boot. */
export const readBootLog: BootLog = bootLogReader('journalctl');

/** Node's code for more output than `maxBuffer`; what fitted is there. Its type of the code knows numbers only. */
const TOO_LONG: unknown = 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER';

interface Run {
  readonly error: ExecFileException | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(program: string, options: readonly string[], signal: AbortSignal): Promise<Run> {
  const limits = { timeout: TIMEOUT_MS, maxBuffer: MAX_BYTES, killSignal: 'SIGKILL', signal } as const;
  const env = { ...process.env, LC_ALL: 'C.UTF-8', SYSTEMD_COLORS: '0' };
  return new Promise((resolve) => {
    execFile(program, options, { ...limits, env }, (error, stdout, stderr) => resolve({ error, stdout, stderr }));
  });
}

function failureOf(error: ExecFileException, stderr: string, id: string, signal: AbortSignal): Failure {
  const options = { cause: error };
  const cannot = `Cannot read the log of boot ${id}`;
  if (signal.aborted) return new Failure('DEADLINE_EXCEEDED', `${cannot}: the caller stopped waiting`, {}, options);
  if (error.killed) return new Failure('DEADLINE_EXCEEDED', `${cannot}: journalctl did not end within ${TIMEOUT_MS} ms`, {}, options);
  return new Failure('INTERNAL', `${cannot}: ${stderr.trim() || error.message}`, {}, options);
}

function wholeLines(text: string): string {
  return text.slice(0, text.lastIndexOf('\n') + 1);
}

/** Turns entries round, not lines: the further lines of an entry begin with blanks. */
function oldestFirst(log: string): string {
  return log
    .trimEnd()
    .split(/\n(?!\s)/)
    .reverse()
    .join('\n');
}
