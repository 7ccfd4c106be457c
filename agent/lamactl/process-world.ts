// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { homedir } from 'node:os';
import type { WriteStream } from 'node:tty';
import { askTerminal } from './ask-terminal.ts';
import type { Connect } from './node/node.ts';
import type { Clock, Output, World } from './world.ts';

/** Used where the output is no terminal, for help texts alone. */
const USUAL_COLUMNS = 100;

/** The world of a process that a person or a script started. */
export function processWorld(): World {
  return {
    stdout: output(process.stdout),
    stderr: output(process.stderr),
    env: process.env,
    homeDirectory: homedir(),
    clock: CLOCK,
    random: randomBytes,
    connect: connectLazily,
    poll: async (...args) => (await import('./fleet/poll/poll.ts')).poll(...args),
    meet: async (address, timeoutMs, signal) => (await import('./node/stranger.ts')).meetStranger(address, timeoutMs, signal),
    connectUnclaimed: async (stranger, options) => (await import('./node/unclaimed-node.ts')).connectUnclaimed(stranger, options),
    ask: (question, options) => askTerminal(question, options?.secret ?? false),
    onInterrupt,
  };
}

function output(stream: WriteStream): Output {
  return {
    get isTerminal() {
      return stream.isTTY === true;
    },
    get columns() {
      return stream.columns ?? USUAL_COLUMNS;
    },
    get rows() {
      return stream.rows ?? 0;
    },
    write: (text) => void stream.write(text),
  };
}

const CLOCK: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) => {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal?.addEventListener('abort', done);
    });
  },
  every: (ms, run) => {
    const timer = setInterval(run, ms);
    return () => clearInterval(timer);
  },
};

const connectLazily: Connect = async (target, options) => {
  const { connectGrpc } = await import('./node/grpc-node.ts');
  return connectGrpc(target, options);
};

const FIRST_ONLY = ['SIGINT', 'SIGTERM'] as const;

/** Hears the first Ctrl-C only: a second one ends lamactl at once. A terminal that goes away may say so several times. */
function onInterrupt(listener: () => void): () => void {
  const leaveTheNext = (): void => {
    for (const signal of FIRST_ONLY) process.removeListener(signal, heard);
  };
  const heard = (): void => {
    leaveTheNext();
    listener();
  };
  for (const signal of [...FIRST_ONLY, 'SIGHUP'] as const) process.on(signal, heard);
  return () => {
    leaveTheNext();
    process.removeListener('SIGHUP', heard);
  };
}
