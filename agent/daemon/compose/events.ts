// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import type { Logger } from 'pino';
import { VERSION } from '../../shared/version.ts';
import { EventLog } from '../node/event-log.ts';
import { newPhases, type Recorded } from '../node/update-events.ts';
import { systemClock as clock } from '../timing/clock.ts';
import type { Feed } from '../update/feed.ts';
import type { UpdateState } from '../update/life/state.ts';
import type { Folders } from './folders.ts';
import type { Neighbours } from './neighbours.ts';

/** The record of what happens on the node; its first event tells how this agent came to run. */
export async function eventsOf(folders: Folders, { boot, host }: Pick<Neighbours, 'boot' | 'host'>, log: Logger) {
  const events = await EventLog.open({ folder: join(folders.state, 'events'), bootId: boot.bootId, clock, log });
  const before = await events.newest();
  const agentVersion = VERSION;
  if (before?.bootId === boot.bootId) void events.record({ type: 'agent-restarted', agentVersion });
  else void events.record({ type: 'booted', bootname: boot.bootname, imageVersion: host.imageVersion, agentVersion });
  return { events, isNewRecord: before === undefined };
}

export type Events = Awaited<ReturnType<typeof eventsOf>>;

/** A reboot that is on record before it is asked for. */
export function announced(reboot: Neighbours['reboot'], { events }: Events): Neighbours['reboot'] {
  return async (signal) => {
    await events.record({ type: 'rebooting' });
    await reboot(signal);
  };
}

/** Writes down each phase that updates enter, until the signal. */
export async function recordPhases({ events, isNewRecord }: Events, feed: Feed<UpdateState>, signal: AbortSignal): Promise<void> {
  const newest = await events.newest(({ type }) => type === 'update-phase-entered');
  let recorded: Recorded | undefined = newest?.event.type === 'update-phase-entered' ? newest.event : undefined;
  for await (const { value } of feed.follow('', signal)) {
    for (const { event, atMs } of newPhases(value, recorded, isNewRecord)) {
      void events.record(event, atMs);
      recorded = event;
    }
  }
}
