// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type BusState, SystemBus } from '../../../../../agent/daemon/platform/dbus/system-bus.ts';

/** D-Bus Specification, "Message Format": little-endian, a method return, version 1; then lengths that no message has. */
const HUGE = Buffer.from([0x6c, 2, 0, 1, 0xff, 0xff, 0xff, 0x7f, 1, 0, 0, 0, 0, 0, 0, 0]);
/** A header with one field, of a type that D-Bus does not have: z. */
const NONSENSE = Buffer.from([0x6c, 2, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 1, 1, 0x7a, 0, 0, 0, 0, 0]);

let folder: string;
let server: Server;
let bus: SystemBus;
let states: BusState[];
let sockets: Socket[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lamadist-broken-bus-'));
  [states, sockets] = [[], []];
});
afterEach(async () => {
  vi.useRealTimers();
  bus.close();
  for (const socket of sockets) socket.destroy();
  server.close();
  await rm(folder, { recursive: true, force: true });
});

/** Connects to a server that answers what it is sent with whatever `answer` makes of it. */
async function connectTo(answer: (text: string, socket: Socket) => void): Promise<void> {
  const path = join(folder, 'bus.sock');
  server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    socket.on('data', (data) => answer(data.toString('latin1'), socket));
  });
  server.listen(path);
  await once(server, 'listening');
  bus = new SystemBus({ address: `unix:path=${path}`, random: () => 1, report: () => {} });
  bus.onStateChange((state) => states.push(state));
  bus.start();
}

/** D-Bus Specification, "Authentication Protocol". */
function afterHandshake(bytes: Buffer) {
  return (text: string, socket: Socket) => {
    if (text.includes('AUTH')) socket.write('OK 1234deadbeef\r\n');
    if (text.includes('BEGIN')) socket.write(bytes);
  };
}

const lost = () => vi.waitFor(() => expect(states.length).toBeGreaterThan(0), { timeout: 10_000 });

describe('a bus that is none', () => {
  it('and says nothing is given up in time', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    await connectTo(() => {});
    vi.advanceTimersByTime(10_000);
    expect(states).toEqual([{ connected: false, reason: 'the bus did not greet within 10000 ms' }]);
  });

  it('and refuses the agent is told as it is', async () => {
    await connectTo((_, socket) => socket.write('REJECTED EXTERNAL\r\n'));
    await lost();
    expect(states[0]).toMatchObject({ connected: false, reason: expect.stringContaining('authentication failed') });
  });

  it('and hangs up is connected to again, later and later', async () => {
    await connectTo((_, socket) => socket.destroy());
    await vi.waitFor(() => expect(sockets.length).toBeGreaterThan(2), { timeout: 10_000 });
    expect(bus.state.connected).toBe(false);
  });

  it('and announces more than anybody may send is left at once', async () => {
    await connectTo(afterHandshake(HUGE));
    await lost();
    expect(states[0]).toEqual({ connected: false, reason: 'a message of 2147483647 bytes arrived, the limit is 4194304' });
  });

  it('and sends nonsense ends the connection, not the process', async () => {
    await connectTo(afterHandshake(NONSENSE));
    await lost();
    expect(states[0]).toMatchObject({ connected: false, reason: expect.stringContaining('could not be parsed') });
  });
});
