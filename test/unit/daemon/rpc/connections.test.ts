// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { Connections } from '../../../../agent/daemon/rpc/connections.ts';

const LIMITS = { connections: 4, connectionsOfOwner: 3, calls: 5, callsOfOwner: 3 };

/** Connections by name, `owner-number`, and the names of those that were closed for others. */
function house() {
  const connections = new Connections(LIMITS);
  const closed: string[] = [];
  const come = (...peers: string[]): void => {
    for (const peer of peers) connections.opened({ peer, owner: peer.charAt(0), close: () => closed.push(peer) });
  };
  return { connections, closed, come };
}

describe('the connections of the agent', () => {
  it('are closed for a newcomer of the same owner, the first without a call first', () => {
    const { connections, closed, come } = house();
    come('a1', 'a2', 'a3');
    connections.callBegan('a1');
    come('a4');
    expect(closed).toEqual(['a2']);
    expect(connections.count).toBe(3);
  });

  it('are closed for a newcomer even when each has a call', () => {
    const { connections, closed, come } = house();
    come('a1', 'a2', 'a3');
    for (const peer of ['a1', 'a2', 'a3']) connections.callBegan(peer);
    come('a4');
    expect(closed).toEqual(['a1']);
  });

  it('of the owner with the most are closed when there are too many of all', () => {
    const { closed, come } = house();
    come('b1', 'a1', 'a2', 'a3', 'c1');
    expect(closed).toEqual(['a1']);
  });

  it('make no room when one ended by itself', () => {
    const { connections, closed, come } = house();
    come('a1', 'a2', 'a3');
    connections.closed('a2');
    come('a4');
    expect(closed).toEqual([]);
  });

  it('carry so many calls of one owner, and so many of all, until one ends', () => {
    const { connections, come } = house();
    come('a1', 'a2', 'b1');
    expect(['a1', 'a1', 'a2', 'a2'].map((peer) => connections.callBegan(peer))).toEqual([true, true, true, false]);
    expect(['b1', 'b1', 'b1'].map((peer) => connections.callBegan(peer))).toEqual([true, true, false]);
    connections.callEnded('a1');
    expect(connections.callBegan('b1')).toBe(true);
  });

  it('take their calls with them', () => {
    const { connections, come } = house();
    come('a1', 'a2');
    for (const _ of [1, 2, 3]) connections.callBegan('a1');
    connections.closed('a1');
    connections.callEnded('a1');
    expect(connections.callBegan('a2')).toBe(true);
  });
});
