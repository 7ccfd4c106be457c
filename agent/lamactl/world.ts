// SPDX-License-Identifier: Apache-2.0
import type { Connect } from './fleet/node.ts';

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
  /** Hears of Ctrl-C until the returned function is called; while nobody listens, Ctrl-C ends lamactl. */
  onInterrupt(listener: () => void): () => void;
}
