// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Metadata, type ServiceError } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { LogEntry } from '../../../../agent/daemon/node/node-log.ts';
import { failureIn } from '../../../../agent/shared/status.ts';
import { type AgentClient, connect } from '../../fakes/agent-client.ts';
import { type AgentServer, startAgentServer } from '../../fakes/agent-server.ts';

const ENTRY: LogEntry = {
  cursor: 's=a;i=1',
  at: new Date(0),
  priority: 6,
  unit: 'a.service',
  identifier: 'a',
  pid: 1,
  bootId: 'b',
  message: 'x'.repeat(1_000),
  messageLeftOut: false,
};

let server: AgentServer;
let client: AgentClient;
/** Readers that have not ended, and what they gave. */
let readers: number;
let given: number;

beforeEach(async () => {
  [readers, given] = [0, 0];
  server = await startAgentServer(undefined, undefined, async function* (_query, signal) {
    readers += 1;
    try {
      while (!signal.aborted) {
        given += 1;
        yield ENTRY;
        if (given % 100 === 0) await sleep(1);
      }
    } finally {
      readers -= 1;
    }
  });
  client = await connect(server, 'reader');
});
afterEach(async () => {
  client.close();
  await server.stop();
});

const read = () => client.logs.readLog({ follow: true }, new Metadata(), { deadline: Date.now() + 60_000 }).on('error', () => undefined);

describe('a reader of the log', () => {
  it('that does not read holds up its own entries, and takes no memory for more', async () => {
    const stream = read();
    // A client that takes nothing at all buffers everything by itself; one that stops after the first lets HTTP/2 hold up the node.
    await once(stream, 'readable');
    stream.read();
    let before = -1;
    await vi.waitUntil(
      () => {
        const still = before === given;
        before = given;
        return still;
      },
      { interval: 1_000, timeout: 15_000 },
    );
    expect(given).toBeLessThan(1_000);
    stream.cancel();
    await vi.waitUntil(() => readers === 0, 10_000);
  });

  it('gets every entry as fast as it reads', async () => {
    const stream = read();
    let taken = 0;
    for await (const _ of stream) if (++taken === 3_000) break;
    expect(given).toBeLessThan(taken + 1_000);
  });

  it('is refused when too many read, and admitted when one has gone', async () => {
    const streams = Array.from({ length: 8 }, read);
    await vi.waitUntil(() => readers === 8, 10_000);
    const [error] = (await once(read(), 'error').catch((thrown) => [thrown])) as [ServiceError];
    expect(failureIn(error)).toMatchObject({ code: 'TOO_MANY_CALLS' });
    streams[0]?.cancel();
    await vi.waitUntil(() => readers === 7, 10_000);
    const again = read();
    await once(again, 'readable');
    for (const stream of [...streams, again]) stream.cancel();
    await vi.waitUntil(() => readers === 0, 10_000);
  });
});
