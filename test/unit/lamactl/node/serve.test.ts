// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { BundleFile } from '../../../../agent/lamactl/node/bundle-file.ts';
import type { Target } from '../../../../agent/lamactl/node/node.ts';
import { serve } from '../../../../agent/lamactl/node/serve.ts';
import { Failure, type FailureCode } from '../../../../agent/shared/failure.ts';
import { FakeNode } from '../fake-node.ts';
import { FakeClock } from '../fake-world.ts';

const TARGET: Target = {
  name: 'attic',
  address: '10.0.0.5:7443',
  tlsName: 'attic',
  labels: {},
  identity: { ca: Buffer.alloc(0), certificate: Buffer.alloc(0), key: Buffer.alloc(0) },
};
const FILE = {} as BundleFile;

/** Serves a node that answers each time as the next of these does, and is left when they are used up. */
async function serving(...answers: (() => void)[]) {
  const node = new FakeNode();
  const stop = new AbortController();
  const clock = new FakeClock();
  const startMs = clock.now();
  const served: [string, BundleFile][] = [];
  node.answers.serveBundle = async (operationId, file) => {
    served.push([operationId, file]);
    const answer = answers.shift();
    if (answers.length === 0) stop.abort();
    answer?.();
  };
  const connect = async (...args: Parameters<FakeNode['connect']>) => node.connect(...args);
  await serve(TARGET, 'op-1', FILE, { connect, clock, timeoutMs: 1_000, signal: stop.signal });
  return { node, served, elapsedMs: clock.now() - startMs, stop };
}

const fail = (code: FailureCode) => () => {
  throw new Failure(code, 'Cannot go on: so it is');
};
const end = () => {};

describe('serving a bundle', () => {
  it('comes back a second after a connection broke or the node ended the call, until nobody wants it', async () => {
    const { node, served, elapsedMs } = await serving(fail('NODE_UNREACHABLE'), end, fail('INTERNAL'), end);
    expect(served).toEqual(Array(4).fill(['op-1', FILE]));
    expect(elapsedMs).toBeGreaterThanOrEqual(3_000);
    expect(node.open).toBe(0);
  });

  it('ends when the node needs the bundle no longer', async () => {
    const { node, served } = await serving(end, fail('UPDATE_NOT_FOUND'), end, end);
    expect(served).toHaveLength(2);
    expect(node.open).toBe(0);
  });

  it('does not begin when nobody wants it', async () => {
    const node = new FakeNode();
    const connect = async (...args: Parameters<FakeNode['connect']>) => node.connect(...args);
    await serve(TARGET, 'op-1', FILE, { connect, clock: new FakeClock(), timeoutMs: 1_000, signal: AbortSignal.abort() });
    expect(node.connections).toBe(0);
  });
});
