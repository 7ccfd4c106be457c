// SPDX-License-Identifier: Apache-2.0
import { appendFile, mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EventLog, type EventQuery, type ToldEvent } from '../../../../agent/daemon/node/event-log.ts';
import { SEGMENT_BYTES } from '../../../../agent/daemon/node/event-segments.ts';
import { FakeClock } from '../../fakes/clock.ts';
import { temporaryFolder } from '../../fakes/folder.ts';
import { keepingLogger } from '../../fakes/log.ts';

const ALL: EventQuery = { afterCursor: '', limit: 0, follow: false };
const inTime = () => AbortSignal.timeout(20_000);

async function open(folder: string, bootId = 'boot-1') {
  const { log, lines } = keepingLogger();
  return { events: await EventLog.open({ folder, bootId, clock: new FakeClock(), log }), lines };
}

const restarted = (name: string) => ({ type: 'unit-restarted', name }) as const;

async function told(events: EventLog, query: Partial<EventQuery> = {}): Promise<ToldEvent[]> {
  const all: ToldEvent[] = [];
  for await (const event of events.follow({ ...ALL, ...query }, inTime())) all.push(event);
  return all;
}

const names = (all: readonly ToldEvent[]) => all.map(({ stored: { event } }) => ('name' in event ? event.name : event.type));

describe('the record of events', () => {
  it('tells what was written down, oldest first, with time and boot', async () => {
    const { events } = await open(await temporaryFolder());
    await events.record(restarted('a'));
    await events.record(restarted('b'), 5_000);
    const [a, b] = await told(events);
    expect(a).toMatchObject({ gap: false, stored: { sequence: 1, bootId: 'boot-1', atMs: Date.parse('2026-01-01T00:00:00Z') } });
    expect(b).toMatchObject({ gap: false, stored: { sequence: 2, atMs: 5_000, event: { name: 'b' } } });
  });

  it('goes on after a cursor, although the agent was restarted', async () => {
    const folder = await temporaryFolder();
    const { events } = await open(folder);
    for (const name of ['a', 'b', 'c']) await events.record(restarted(name));
    const [, b] = await told(events);
    const { events: next } = await open(folder, 'boot-2');
    await next.record(restarted('d'));
    const after = await told(next, { afterCursor: b!.cursor });
    expect(names(after)).toEqual(['c', 'd']);
    expect(after.map(({ stored }) => [stored.sequence, stored.bootId])).toEqual([
      [3, 'boot-1'],
      [4, 'boot-2'],
    ]);
    expect(after.some(({ gap }) => gap)).toBe(false);
    expect(await told(next, { afterCursor: after[1]!.cursor })).toEqual([]);
  });

  it('tells the newest so many', async () => {
    const { events } = await open(await temporaryFolder());
    for (const name of ['a', 'b', 'c']) await events.record(restarted(name));
    expect(names(await told(events, { limit: 2 }))).toEqual(['b', 'c']);
    expect(names(await told(events, { limit: 9 }))).toEqual(['a', 'b', 'c']);
  });

  it('tells new events to whoever follows, until they go', async () => {
    const { events } = await open(await temporaryFolder());
    await events.record(restarted('a'));
    const gone = new AbortController();
    const seen: string[] = [];
    const following = (async () => {
      for await (const event of events.follow({ ...ALL, follow: true }, gone.signal)) {
        seen.push(...names([event]));
        if (seen.length < 4) void events.record(restarted(`after ${seen.at(-1)}`));
        else gone.abort();
      }
    })();
    await following;
    expect(seen).toEqual(['a', 'after a', 'after after a', 'after after after a']);
  });

  it('is bounded on the disk, and says where something is missing', async () => {
    const folder = await temporaryFolder();
    const { events } = await open(folder);
    await events.record(restarted('first'));
    const [first] = await told(events);
    const long = 'x'.repeat(5_000);
    for (let count = 0; count < 700; count += 1) await events.record(restarted(`${count} ${long}`));
    const files = (await readdir(folder)).filter((name) => name !== 'id');
    expect(files).toHaveLength(8);
    for (const name of files) expect((await stat(join(folder, name))).size).toBeLessThanOrEqual(SEGMENT_BYTES);
    const rest = await told(events, { afterCursor: first!.cursor });
    expect(rest.filter(({ gap }) => gap)).toEqual([rest[0]]);
    expect(rest.at(-1)?.stored.sequence).toBe(701);
    expect(names(rest).at(-1)).toHaveLength(1_000);
  });

  it('begins anew for a cursor of another record, and says so', async () => {
    const { events } = await open(await temporaryFolder());
    const other = await open(await temporaryFolder());
    await other.events.record(restarted('elsewhere'));
    const [elsewhere] = await told(other.events);
    await events.record(restarted('a'));
    await events.record(restarted('b'));
    for (const afterCursor of [elsewhere!.cursor, 'nonsense', `${(await told(events))[0]!.cursor}9`]) {
      expect((await told(events, { afterCursor })).map(({ gap }) => gap)).toEqual([true, false]);
    }
  });

  it.each(['{"sequence":3,"atMs', '{"sequence":3,"atMs":1,"bootId":"b","event":{"type":"from the future"}}\n', '\0\0\0\0'])(
    'survives a last line such as %j',
    async (line) => {
      const folder = await temporaryFolder();
      const { events } = await open(folder);
      await events.record(restarted('a'));
      await events.record(restarted('b'));
      const [name] = (await readdir(folder)).filter((file) => file !== 'id');
      await appendFile(join(folder, name!), line);
      const { events: next } = await open(folder);
      await next.record(restarted('c'));
      expect(names(await told(next))).toEqual(['a', 'b', 'c']);
    },
  );

  it('finds the newest event that fits', async () => {
    const { events } = await open(await temporaryFolder());
    expect(await events.newest()).toBeUndefined();
    await events.record(restarted('a'));
    await events.record({ type: 'rebooting' });
    expect((await events.newest())?.event.type).toBe('rebooting');
    expect((await events.newest(({ type }) => type === 'unit-restarted'))?.sequence).toBe(1);
    expect(await events.newest(({ type }) => type === 'booted')).toBeUndefined();
  });

  it('goes on without a disk, says what is lost, and tells readers that something is', async () => {
    const folder = await temporaryFolder();
    const { events, lines } = await open(folder);
    await events.record(restarted('a'));
    // A folder where the file of events was: nobody can write it, not even root.
    const [name] = (await readdir(folder)).filter((file) => file !== 'id');
    await rm(join(folder, name!));
    await mkdir(join(folder, name!));
    await events.record(restarted('lost'));
    expect(lines).toMatchObject([{ msg: 'An event could not be written down', event: 'unit-restarted' }]);
    await rm(join(folder, name!), { recursive: true });
    await events.record(restarted('c'));
    const after = await told(events);
    expect(after.map(({ stored, gap }) => [stored.sequence, gap])).toEqual([[3, true]]);
  });

  it('is empty, and no reason to fail, where its folder cannot be made', async () => {
    const folder = join(await temporaryFolder(), 'file');
    await writeFile(folder, '');
    const { events, lines } = await open(join(folder, 'events'));
    await events.record(restarted('a'));
    expect(lines.map(({ msg }) => msg)).toEqual(['The events on record cannot be read', 'An event could not be written down']);
    expect(await events.newest()).toBeUndefined();
  });
});
