// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { ClientOffers } from '../../../../../agent/daemon/delivery/client-offers.ts';
import { Callers } from '../../../../../agent/daemon/rpc/callers.ts';
import { updateService } from '../../../../../agent/daemon/rpc/services/update-service.ts';
import { Feed } from '../../../../../agent/daemon/update/feed.ts';
import type { EndedUpdate, UpdateState } from '../../../../../agent/daemon/update/life/state.ts';
import { callStream, callUnary } from '../../../fakes/call.ts';
import { FakeClock } from '../../../fakes/clock.ts';
import { FakeInstaller } from '../../../fakes/installer.ts';
import { OPERATION_ID, STATES } from '../../update/states.ts';

/** The service before an update in memory; `look` is called whenever the service looks at the state. */
function serving(state: UpdateState, { look = () => {}, ended }: { look?: (feed: Feed<UpdateState>) => void; ended?: EndedUpdate } = {}) {
  const feed = new Feed<UpdateState>('run', state);
  const submitted: unknown[] = [];
  const service = updateService({
    feed,
    installer: new FakeInstaller(),
    callers: new Callers(),
    boot: { bootId: 'boot', bootname: 'B' },
    canStream: true,
    mediaBundles: async () => [],
    access: { keep: async () => {}, forget: async () => {} },
    offers: new ClientOffers(new FakeClock()),
    delivery: { kept: async () => undefined },
    clock: new FakeClock(),
    newId: () => 'new',
    rollouts: { guard: (_id, _epoch, work) => work() },
    history: { find: async () => ended, page: async () => ({ updates: [], next: '' }) },
    updater: {
      get state() {
        const now = feed.latest.value;
        look(feed);
        return now;
      },
      submit: async (event) => void submitted.push(event),
      failedHere: () => undefined,
    },
  });
  const watch = (afterCursor = '') => callStream(service.watchUpdate, { operationId: OPERATION_ID, afterCursor });
  return { feed, service, watch, submitted };
}

describe('a watch', () => {
  it('takes an update that moves on at this very moment for what it is', async () => {
    let moves = 0;
    const look = (feed: Feed<UpdateState>) => {
      if (moves++ === 0) feed.publish({ ...STATES.installing, percent: 41 });
      setImmediate(() => feed.publish(STATES.failed));
    };
    const messages = await serving(STATES.installing, { look }).watch();
    expect(messages).toMatchObject([{ progress: { progress: { percent: 41 } } }, { result: { reason: { code: 'CHECK_FAILED' } } }]);
  });

  it('ends with the recorded result when the next update has begun already', async () => {
    const { feed, watch } = serving(STATES.installing, { ended: STATES.failed });
    const messages = watch(feed.latest.cursor);
    setImmediate(() => feed.publish({ ...STATES.inspecting, operation: { ...STATES.inspecting.operation, id: 'next' } }));
    expect(await messages).toMatchObject([{ result: { operationId: OPERATION_ID } }]);
  });

  it('says so when nothing is on record', async () => {
    const { feed, watch } = serving(STATES.installing);
    const messages = watch();
    setImmediate(() => feed.publish({ phase: 'idle' }));
    await expect(messages).rejects.toMatchObject({ code: 'UPDATE_NOT_FOUND' });
  });
});

describe('a rollback that is asked for', () => {
  it('looks at the other slot only where it would be booted as it is', async () => {
    const { service, submitted } = serving(STATES.committed);
    await callUnary(service.rollBack, { message: 'x'.repeat(2_000), operationId: '' });
    expect(submitted).toEqual([{ type: 'rollback-requested', message: 'x'.repeat(1_000), bootname: 'B', otherSlotGood: true }]);
  });
});
