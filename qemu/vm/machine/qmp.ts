// SPDX-License-Identifier: Apache-2.0
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { connectTo } from './connect.ts';

interface QmpMessage {
  readonly return?: unknown;
  readonly error?: { readonly desc: string };
  readonly event?: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

const ANSWER_MS = 60_000;

/** QEMU's control socket (QEMU Machine Protocol): commands one after the other, and events in between. */
export class Qmp {
  readonly #waiting: ((message: QmpMessage) => void)[] = [];

  private constructor(
    private readonly socket: Socket,
    onEvent: (event: string, data: Readonly<Record<string, unknown>>) => void,
  ) {
    const lines = createInterface({ input: socket });
    // A reader of lines has an error of its own when its socket has one; "close" comes after both.
    lines.on('error', () => {});
    lines.on('line', (line) => {
      const message = JSON.parse(line) as QmpMessage;
      if (message.event !== undefined) onEvent(message.event, message.data ?? {});
      else if (message.return !== undefined || message.error) this.#waiting.shift()?.(message);
    });
    socket.on('close', () => {
      for (const answer of this.#waiting.splice(0)) answer({ error: { desc: 'QEMU has ended' } });
    });
  }

  static async connect(path: string, onEvent: (event: string, data: Readonly<Record<string, unknown>>) => void): Promise<Qmp> {
    const qmp = new Qmp(await connectTo(path), onEvent);
    await qmp.execute('qmp_capabilities');
    return qmp;
  }

  /** Throws with QEMU's own words when it refuses. */
  async execute(command: string, args: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    const answer = new Promise<QmpMessage>((resolve) => {
      this.#waiting.push(resolve);
      setTimeout(() => resolve({ error: { desc: `no answer within ${ANSWER_MS} ms` } }), ANSWER_MS).unref();
    });
    this.socket.write(`${JSON.stringify({ execute: command, arguments: args })}\n`);
    const message = await answer;
    if (message.error) throw new Error(`Cannot have QEMU do "${command}": ${message.error.desc}`);
    return message.return;
  }

  close(): void {
    this.socket.destroy();
  }
}
