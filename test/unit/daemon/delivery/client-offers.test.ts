// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { type ClientChannel, ClientOffers } from '../../../../agent/daemon/delivery/client-offers.ts';
import { collect } from '../../fakes/bundle.ts';
import { FakeClock } from '../../fakes/clock.ts';

const LIVE = new AbortController().signal;
const BUNDLE = { name: 'v2.raucb', sizeBytes: 5, sha256: 'abc' };

class Channel implements ClientChannel {
  closed = false;
  constructor(readonly text: string) {}
  async *read(offset: number, length: number): AsyncIterable<Buffer> {
    yield Buffer.from(this.text).subarray(offset, offset + length);
  }
  close(): void {
    this.closed = true;
  }
}

function offering() {
  const clock = new FakeClock();
  const offers = new ClientOffers(clock);
  const open = (operationId = 'op', signal = LIVE) => offers.opener(operationId, BUNDLE)(signal);
  return { clock, offers, open };
}

describe('the offer of a client', () => {
  it('is a bundle of the size and the hash that the client told', async () => {
    const { offers, open } = offering();
    offers.attach('op', new Channel('12345'));
    const reader = await open();
    expect(reader).toMatchObject({ sizeBytes: 5, validator: 'abc' });
    expect((await collect(reader.read(1, 3, LIVE))).toString()).toBe('234');
  });

  it('is waited for, and taken at once when it comes', async () => {
    const { clock, offers, open } = offering();
    const readers = [open(), open()];
    await clock.advance(59_000);
    offers.attach('another', new Channel('other'));
    offers.attach('op', new Channel('12345'));
    for (const reader of await Promise.all(readers)) expect((await collect(reader.read(0, 5, LIVE))).toString()).toBe('12345');
    expect(clock.sleeping).toBe(0);
  });

  it('is waited for in vain for a minute', async () => {
    const { clock, offers, open } = offering();
    offers.attach('another', new Channel('other'));
    const failure = open().catch((error) => error);
    await clock.advance(60_000);
    const message = 'Cannot fetch the bundle: the client that has it was away for 60 s';
    expect(await failure).toMatchObject({ code: 'CLIENT_GONE', message });
  });

  it('is no longer waited for when the update is given up', async () => {
    const { clock, open } = offering();
    const stop = new AbortController();
    const failure = open('op', stop.signal).catch((error) => error);
    await clock.advance(1_000);
    stop.abort(new Error('enough'));
    expect(await failure).toMatchObject({ message: 'enough' });
    expect(clock.sleeping).toBe(0);
  });

  it('is taken over by a client that came later, whose offer outlives the end of the first', async () => {
    const { offers, open } = offering();
    const detach = offers.attach('op', new Channel('first'));
    offers.attach('op', new Channel('later'));
    detach();
    expect((await collect((await open()).read(0, 5, LIVE))).toString()).toBe('later');
  });

  it('is gone when it was taken back', async () => {
    const { clock, offers, open } = offering();
    offers.attach('op', new Channel('12345'))();
    const failure = open().catch((error) => error);
    await clock.advance(60_000);
    expect(await failure).toMatchObject({ code: 'CLIENT_GONE' });
  });

  it('is declined once no bundle is needed', async () => {
    const { clock, offers, open } = offering();
    const channel = new Channel('12345');
    offers.attach('op', channel);
    offers.end();
    expect(channel.closed).toBe(true);
    const failure = open().catch((error) => error);
    await clock.advance(60_000);
    expect(await failure).toMatchObject({ code: 'CLIENT_GONE' });
  });
});
