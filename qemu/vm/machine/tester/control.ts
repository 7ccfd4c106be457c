// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { STOPPED } from '../../../host/timeout-exit-codes.ts';
import type { ShellOptions, ShellResult } from '../../../machine.ts';
import { connectTo } from '../connect.ts';

interface Greeting {
  readonly bootId: string;
  readonly bootname: string;
  readonly imageVersion: string;
}

/** What a machine says by itself: which boot it is, and that this boot has reached multi-user.target. */
export interface Listener {
  readonly onGreeting: (greeting: Greeting) => void;
  readonly onReached: () => void;
}

const MARGIN_MS = 15_000;

const encode = (data: string | Uint8Array): string => Buffer.from(data).toString('base64') || '-';
const decode = (word: string | undefined): string => (word === undefined || word === '-' ? '' : Buffer.from(word, 'base64').toString());

/** The other end of control-shell.sh: commands for the boot that greeted last. */
export class Control {
  readonly #answers = new Map<string, (line: readonly string[] | undefined) => void>();
  /** Not that of whoever asked before the machine was suspended. */
  readonly #name = randomBytes(4).toString('hex');
  #next = 1;

  private constructor(
    private readonly socket: Socket,
    { onGreeting, onReached }: Listener,
  ) {
    const lines = createInterface({ input: socket });
    lines.on('error', () => {});
    lines.on('line', (line) => {
      const [kind, ...words] = line.split(' ');
      if (kind === 'boot') onGreeting({ bootId: words[0] ?? '', bootname: words[1] ?? '', imageVersion: words[2] ?? '' });
      if (kind === 'reached') onReached();
      if (kind === 'done') this.#answers.get(words[0] ?? '')?.(words);
    });
    socket.on('close', () => this.forget());
  }

  static async connect(path: string, listener: Listener): Promise<Control> {
    return new Control(await connectTo(path), listener);
  }

  /** The machine goes down: nobody answers what was asked. */
  forget(): void {
    for (const answer of this.#answers.values()) answer(undefined);
    this.#answers.clear();
  }

  async shell(command: string, options: ShellOptions): Promise<ShellResult> {
    const id = `${this.#name}-${this.#next}`;
    this.#next += 1;
    const seconds = Math.ceil(options.timeoutMs / 1000);
    const line = [id, options.user ?? 'root', seconds, encode(command), encode(options.input ?? '')].join(' ');
    const words = await new Promise<readonly string[] | undefined | 'late'>((resolve) => {
      const timer = setTimeout(() => resolve('late'), options.timeoutMs + MARGIN_MS);
      this.#answers.set(id, (answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
      this.socket.write(`${line}\n`);
    });
    this.#answers.delete(id);
    if (words === undefined) throw new Error(`Cannot finish "${command}" in the machine: it went down`);
    const exitCode = words === 'late' ? STOPPED[0]! : Number.parseInt(words[1] ?? '', 10);
    if (Number.isNaN(exitCode)) throw new Error(`Cannot tell how "${command}" ended in the machine: it did not say so`);
    if (words === 'late' || STOPPED.includes(exitCode)) {
      throw new Error(`Cannot finish "${command}" in the machine: it did not end within ${options.timeoutMs} ms`);
    }
    return { exitCode, stdout: decode(words[2]), stderr: decode(words[3]) };
  }

  close(): void {
    this.socket.destroy();
  }
}
