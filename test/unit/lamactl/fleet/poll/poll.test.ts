// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { poll } from '../../../../../agent/lamactl/fleet/poll/poll.ts';
import type { Target } from '../../../../../agent/lamactl/node/node.ts';
import { Certificates } from '../../certificates.ts';

/** Enough for threads where there are two cores. */
const NODES = 200;
/** What a node that says nothing is waited for, 32 at a time: long enough for a thread to have its turn, too. */
const SILENCE_MS = 500;
/** Of a thread: it has its turn. */
const TURN = "const { parentPort, workerData } = require('node:worker_threads'); const index = Atomics.add(workerData.turns, 0, 1);";

vi.mock('node:os', async (original) => ({ ...(await original<typeof import('node:os')>()), availableParallelism: () => 2 }));

/** Takes connections, and never says a word. */
const silent = createServer((socket) => void socket.on('error', () => {}));
const certificates = new Certificates();
let targets: readonly Target[] = [];

beforeAll(async () => {
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const address = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
  certificates.authority('ca');
  certificates.leaf('admin', 'ca');
  const read = (file: string) => readFileSync(certificates.path(file));
  const identity = { ca: read('ca.pem'), certificate: read('admin.pem'), key: read('admin.key') };
  targets = Array.from({ length: NODES }, (_, index) => ({ name: `node-${index}`, address, tlsName: 'node', labels: {}, identity }));
});
afterAll(() => {
  silent.close();
  certificates.remove();
});

/** What was told of each node, by a thread with that program and by this one. */
async function told(program: unknown): Promise<Map<string, string[]>> {
  vi.stubGlobal('POLL_THREAD', program);
  const messages = new Map<string, string[]>(targets.map(({ name }) => [name, []]));
  const answers = await poll('status', targets, SILENCE_MS, (answer) => {
    messages.get(answer.target.name)?.push(answer.ok ? 'answered' : answer.failure.message);
  });
  expect(answers.map(({ target }) => target)).toEqual(targets);
  return messages;
}

const others = (messages: Map<string, string[]>, message: string) => [...messages.values()].filter(([first]) => first !== message);

describe('a poll', () => {
  afterEach(() => void vi.unstubAllGlobals());

  it('asks all nodes itself where no thread can be made', async () => {
    const messages = await told(1);
    expect([...messages.values()]).toEqual(targets.map(({ address }) => [`Cannot reach ${address}: nothing answers there`]));
  });

  it('tells of a node whose thread ended before it asked, and why', async () => {
    const messages = await told(`${TURN} throw new Error('out of memory')`);
    const lost = 'Cannot ask the node: the thread that was to ask it ended: out of memory';
    expect([...messages.values()].filter(([first]) => first === lost)).toHaveLength(1);
    expect(others(messages, lost)).toHaveLength(NODES - 1);
  });

  it('tells once of a node whose answer came before its thread ended', async () => {
    const messages = await told(`${TURN} parentPort.postMessage([{ index, ok: true, value: {} }]); throw new Error('out of memory')`);
    expect([...messages.values()].filter(([first]) => first === 'answered')).toEqual([['answered']]);
    expect([...messages.values()].every((each) => each.length === 1)).toBe(true);
  });
});
