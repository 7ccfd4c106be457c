// SPDX-License-Identifier: Apache-2.0

import type { Poll } from './fleet/poll/poll.ts';
import type { Connect, ConnectOptions } from './node/node.ts';
import type { Stranger } from './node/stranger.ts';
import type { UnclaimedNode } from './node/unclaimed-node.ts';

/** A stream that lamactl writes to. The size is read anew each time, for a terminal's window changes. */
export interface Output {
  readonly isTerminal: boolean;
  readonly columns: number;
  readonly rows: number;
  write(text: string): void;
}

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Ends after the time, or at once when the signal is aborted; it never throws. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls again and again until the returned function is called. */
  every(ms: number, run: () => void): () => void;
}

/** Everything outside lamactl, so that a test can run a whole command against a world of its own. */
export interface World {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly homeDirectory: string;
  readonly clock: Clock;
  /** As many random bytes as asked for, that nobody can guess. */
  random(sizeBytes: number): Buffer;
  readonly connect: Connect;
  /** Asks many nodes one of a few questions. Never throws. */
  readonly poll: Poll;
  /** Looks at whatever answers at an address (`host:port`), and believes nothing of it. Throws a Failure. */
  meet(address: string, timeoutMs: number, signal?: AbortSignal): Promise<Stranger>;
  /** Opens a node without an administrator, by the certificate that it showed. */
  connectUnclaimed(stranger: Stranger, options: ConnectOptions): Promise<UnclaimedNode>;
  /** What the person at the terminal answers, without an echo where it is a secret; undefined when there is nobody. */
  ask(question: string, options?: { readonly secret: boolean }): Promise<string | undefined>;
  /**
   * Hears of Ctrl-C, of being told to end, and of a terminal that is gone, until the returned function is called; while nobody listens,
   * each of them ends lamactl.
   */
  onInterrupt(listener: () => void): () => void;
}
