// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import * as v from 'valibot';
import { Failure } from '../../../shared/failure.ts';
import type { Inventory, ReadInventory } from '../../node/inventory.ts';
import { abortScope } from '../../timing/abort-scope.ts';
import { abortable } from '../../timing/abortable.ts';
import type { Clock } from '../../timing/clock.ts';
import { type Found, FoundSchema } from './found.ts';

const TIMEOUT_MS = 30_000;
const MAX_BYTES = 1 << 20;

/**
 * Looks at the hardware when it is asked for the first time, in a process of its own that this command line starts, and keeps what
 * it found; however many ask, one process looks.
 */
export function inventoryReader(command: readonly [string, ...string[]], clock: Clock): ReadInventory {
  let known: Inventory | undefined;
  let looking: Promise<Inventory> | undefined;
  return async (refresh, signal) => {
    if (known && !refresh) return known;
    looking ??= look(command, clock).finally(() => {
      looking = undefined;
    });
    known = await abortable(looking, signal);
    return known;
  };
}

async function look(command: readonly [string, ...string[]], clock: Clock): Promise<Inventory> {
  const output = await abortScope(new AbortController().signal, async (scope) => {
    void clock.sleep(TIMEOUT_MS, scope.signal).then(
      () => scope.abort(new Failure('DEADLINE_EXCEEDED', `Cannot read the inventory: it took more than ${TIMEOUT_MS} ms`)),
      () => undefined,
    );
    return outputOf(command, scope.signal);
  });
  return { collectedAt: clock.now(), ...parse(output) };
}

async function outputOf([program, ...parameters]: readonly [string, ...string[]], signal: AbortSignal): Promise<string> {
  const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C.UTF-8' };
  // A group of its own, so that what it starts ends with it.
  const child = spawn(program, parameters, { cwd: '/', env, stdio: ['ignore', 'pipe', 'ignore'], detached: true });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    if (output.length > MAX_BYTES) endGroup(child);
  });
  try {
    const [code] = (await once(child, 'close', { signal })) as [number | null];
    if (code === 0) return output;
    throw new Failure('INTERNAL', `Cannot read the inventory: the process that looks ended with ${code ?? 'a signal'}`);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    child.on('error', () => undefined);
    endGroup(child);
  }
}

function endGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nothing of the group is left.
  }
}

function parse(output: string): Found {
  try {
    return v.parse(FoundSchema, JSON.parse(output));
  } catch (error) {
    throw new Failure('INTERNAL', `Cannot read the inventory: ${(error as Error).message}`, {}, { cause: error });
  }
}
