// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { setTimeout as timer } from 'node:timers/promises';
import type { Observation, Probes } from '../../health/probe.ts';
import { errorReason } from './error-reason.ts';
import { ignoreLateErrors } from './late-errors.ts';

/** Nothing of the agent's own environment, which names sockets and credentials. */
const ENVIRONMENT = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8' };

const KEPT_CHARACTERS = 4096;
const LAST_WORDS_MS = 500;

/**
 * Runs a program in a process group of its own, and holds when it exits with 0. However it ends, the group ends with it; what the
 * program put elsewhere with setsid is left to the unit.
 */
export const commandProbe: Probes['command'] = async ({ argv: [program = '', ...parameters] }, signal) => {
  signal.throwIfAborted();
  try {
    return await run(program, parameters, signal);
  } catch (error) {
    signal.throwIfAborted();
    return { holds: false, detail: `cannot run ${program}: ${errorReason(error)}` };
  }
};

async function run(program: string, parameters: readonly string[], signal: AbortSignal): Promise<Observation> {
  const child = spawn(program, parameters, { cwd: '/', env: ENVIRONMENT, stdio: ['ignore', 'ignore', 'pipe'], detached: true });
  const stderr = keepEnd(child.stderr);
  try {
    const [code, killedBy] = await exitOf(ignoreLateErrors(child), signal);
    if (code === 0) return { holds: true, detail: `${program} exited with 0` };
    const said = lastLine(await stderr.end());
    const how = killedBy ? `was ended by ${killedBy}` : `exited with ${code}`;
    return { holds: false, detail: `${program} ${how}${said && `: ${said}`}` };
  } finally {
    child.stderr.destroy();
  }
}

/** Ends the rest of the group too. Waits for `exit`, not for `close`, which a process left behind would hold up. */
async function exitOf(child: ChildProcess, signal: AbortSignal): Promise<[number | null, NodeJS.Signals | null]> {
  try {
    return (await once(child, 'exit', { signal })) as [number | null, NodeJS.Signals | null];
  } finally {
    killGroup(child);
  }
}

/** Reads a stream to its end, so that nobody waits to write to it, and keeps the last of it. */
function keepEnd(stream: Readable): { end: () => Promise<string> } {
  let kept = '';
  ignoreLateErrors(stream)
    .setEncoding('utf8')
    .on('data', (text: string) => {
      kept = (kept + text).slice(-KEPT_CHARACTERS);
    });
  const closed = new Promise<void>((resolve) => stream.once('close', resolve));
  return {
    async end() {
      // A process outside the group may hold the stream open for as long as it likes.
      await Promise.race([closed, timer(LAST_WORDS_MS, undefined, { ref: false })]);
      return kept;
    },
  };
}

function lastLine(text: string): string {
  return text.trimEnd().split('\n').at(-1) ?? '';
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // No process of the group is left, or only those of another user, which the end of the unit ends.
  }
}
