// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { type FollowEvent, type FollowOptions, follow } from '../../../../agent/lamactl/fleet/follow.ts';
import type { Target } from '../../../../agent/lamactl/node/node.ts';
import { Failure } from '../../../../agent/shared/failure.ts';
import { updateIn } from '../answers.ts';
import { deadNode, FakeNode } from '../fake-node.ts';
import { FakeClock } from '../fake-world.ts';

const target: Target = {
  name: 'attic',
  address: '10.0.0.5:7443',
  tlsName: 'attic',
  labels: {},
  identity: { ca: Buffer.of(), certificate: Buffer.of(), key: Buffer.of() },
};
const gone = new Failure('NODE_UNREACHABLE', 'Cannot reach 10.0.0.5:7443: the connection broke');
const refused = new Failure('UNAUTHENTICATED', 'Cannot talk to 10.0.0.5:7443: it does not accept the client certificate');

async function followed(node: FakeNode, changes: Partial<FollowOptions> = {}): Promise<readonly FollowEvent[]> {
  const events: FollowEvent[] = [];
  const options: FollowOptions = {
    connect: async (...connect) => node.connect(...connect),
    clock: new FakeClock(),
    signal: new AbortController().signal,
    timeoutMs: 1_000,
    waitMs: 60_000,
    met: true,
    ...changes,
  };
  for await (const event of follow(target, '', options)) events.push(event);
  expect(node.open).toBe(0);
  return events;
}

const types = (events: readonly FollowEvent[]) => events.map(({ type }) => type);

function running(): FakeNode {
  const node = new FakeNode();
  node.last = updateIn('installing');
  return node;
}

describe('following an update', () => {
  it('tells of an absence once, however many attempts it takes', async () => {
    const node = running();
    node.watches = [[updateIn('pending-reboot'), gone], [gone], [gone], [updateIn('trial'), updateIn('committed')]];
    expect(types(await followed(node))).toEqual(['progress', 'unreachable', 'progress', 'result']);
  });

  it('tells of each absence anew', async () => {
    const node = running();
    node.watches = [[updateIn('installing'), gone], [updateIn('installing'), gone], [updateIn('committed')]];
    expect(types(await followed(node))).toEqual(['progress', 'unreachable', 'progress', 'unreachable', 'result']);
  });

  it('goes on when a stream ends without a result, as that of an agent that restarts does', async () => {
    const node = running();
    node.watches = [[updateIn('installing')], [updateIn('committed')]];
    expect(types(await followed(node))).toEqual(['progress', 'result']);
  });

  it('stays with the operation that it found first', async () => {
    const node = running();
    const asked: string[] = [];
    node.answers.update = async (operationId) => {
      asked.push(operationId);
      return node.last;
    };
    node.watches = [[gone], [updateIn('committed')]];
    await followed(node);
    expect(asked).toEqual(['', 'op-1']);
  });

  it('bears a refusal from a node that it has met, for a node without a clock boots in the past', async () => {
    const node = running();
    node.watches = [[updateIn('trial'), refused], [updateIn('committed')]];
    expect(types(await followed(node, { met: false }))).toEqual(['progress', 'unreachable', 'result']);
  });

  it('gives up at once when a node refuses from the beginning', async () => {
    expect(await followed(deadNode(refused), { met: false })).toEqual([{ type: 'error', failure: refused }]);
  });

  it('gives up at once on a machine that is not the node', async () => {
    const stranger = new Failure('NODE_UNTRUSTED', 'Cannot talk to 10.0.0.5:7443: its certificate is for another name');
    expect(await followed(deadNode(stranger))).toEqual([{ type: 'error', failure: stranger }]);
  });

  it('leaves at once when it was interrupted before it began', async () => {
    const node = running();
    expect(await followed(node, { signal: AbortSignal.abort() })).toEqual([{ type: 'left', why: 'interrupted' }]);
    expect(node.connections).toBe(0);
  });

  it('pauses longer and longer while the node is away, and stops when the wait is over', async () => {
    const node = deadNode();
    const clock = new FakeClock();
    const startMs = clock.now();
    const events = await followed(node, { clock, waitMs: 60_000 });
    expect(types(events)).toEqual(['unreachable', 'left']);
    expect(clock.now() - startMs).toBe(60_000);
    expect(node.connections).toBeLessThan(20);
  });
});
