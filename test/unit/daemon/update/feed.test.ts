// SPDX-License-Identifier: Apache-2.0
import { getEventListeners } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Feed, type Published } from '../../../../agent/daemon/update/feed.ts';

/** Keeps what a follower of a feed sees; `seen()` lets everything arrive that can. */
function follower(feed: Feed<string>, after = '') {
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const got: Published<string>[] = [];
  const ended = (async () => {
    for await (const published of feed.follow(after, stop.signal)) got.push(published);
  })();
  const seen = async () => {
    await turn();
    return got.map(({ value }) => value);
  };
  return { seen, got, ended, stop };
}

describe('a feed', () => {
  it('gives a snapshot first and then every change', async () => {
    const feed = new Feed('run', 'a');
    const { seen } = follower(feed);
    expect(await seen()).toEqual(['a']);
    feed.publish('b');
    expect(await seen()).toEqual(['a', 'b']);
    feed.publish('b');
    expect(await seen()).toEqual(['a', 'b', 'b']);
  });

  it('goes on after the current cursor without a snapshot', async () => {
    const feed = new Feed('run', 'a');
    const { seen } = follower(feed, feed.latest.cursor);
    expect(await seen()).toEqual([]);
    feed.publish('b');
    expect(await seen()).toEqual(['b']);
  });

  it.each([
    ['older', (feed: Feed<string>) => feed.latest.cursor],
    ['of another run', () => new Feed('before', 'x').latest.cursor],
    ['hostile', () => '__proto__'],
  ])('gives a snapshot to a cursor that is %s', async (_what, cursorOf) => {
    const feed = new Feed('run', 'a');
    const cursor = cursorOf(feed);
    feed.publish('b');
    expect(await follower(feed, cursor).seen()).toEqual(['b']);
  });

  it('spares a slow reader what is out of date', async () => {
    const feed = new Feed('run', 'a');
    const stop = new AbortController();
    const reader = feed.follow('', stop.signal);
    expect((await reader.next()).value).toMatchObject({ value: 'a' });
    for (const value of ['b', 'c', 'd']) feed.publish(value);
    expect((await reader.next()).value).toEqual(feed.latest);
    expect(feed.latest.value).toBe('d');
    await reader.return(undefined);
  });

  it('tells each of its followers', async () => {
    const feed = new Feed('run', 'a');
    const followers = [follower(feed), follower(feed)];
    await turn();
    feed.publish('b');
    for (const { seen } of followers) expect(await seen()).toEqual(['a', 'b']);
  });

  it('ends with the signal, while it waits and before it began', async () => {
    const feed = new Feed('run', 'a');
    const { seen, ended, stop } = follower(feed);
    await seen();
    stop.abort();
    await ended;
    feed.publish('b');
    expect(await seen()).toEqual(['a']);
    expect((await feed.follow('', AbortSignal.abort()).next()).done).toBe(true);
  });

  it('leaves no listener on a signal that outlives it', async () => {
    const feed = new Feed('run', 'a');
    const { seen, stop } = follower(feed);
    for (let round = 0; round < 50; round += 1) {
      feed.publish(`${round}`);
      await seen();
    }
    expect(getEventListeners(stop.signal, 'abort')).toHaveLength(1);
    stop.abort();
    await seen();
    expect(getEventListeners(stop.signal, 'abort')).toHaveLength(0);
  });

  it('never gives two values the same cursor', () => {
    const feed = new Feed('run', 'a');
    const cursors = new Set([feed.latest.cursor]);
    for (let round = 0; round < 20; round += 1) {
      feed.publish('a');
      cursors.add(feed.latest.cursor);
    }
    expect(cursors.size).toBe(21);
  });
});
