// SPDX-License-Identifier: Apache-2.0
import { Failure, type FailureCode } from '../../shared/failure.ts';
import type { Clock } from '../world.ts';

export type Reconnected<Item> =
  | { readonly type: 'item'; readonly item: Item }
  /** The node went away, once for each time; it reboots, or its network does. */
  | { readonly type: 'unreachable'; readonly failure: Failure }
  /** The last: trying again would not help. */
  | { readonly type: 'error'; readonly failure: Failure };

export interface ReconnectOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Whether this node answered lamactl before: then a refusal may pass, for a node without a clock boots in the past. */
  readonly met: boolean;
}

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;

const PASSING: ReadonlySet<FailureCode> = new Set(['NODE_UNREACHABLE', 'DEADLINE_EXCEEDED']);
const PASSING_ONCE_MET: ReadonlySet<FailureCode> = new Set([...PASSING, 'UNAUTHENTICATED']);

/** What one connection after the other tells, with growing pauses between those that broke, until the signal ends it. Never throws. */
export async function* reconnecting<Item>(
  connection: () => AsyncIterable<Item>,
  options: ReconnectOptions,
): AsyncGenerator<Reconnected<Item>, void> {
  const { clock, signal } = options;
  let { met } = options;
  let away = false;
  let pauseMs = FIRST_PAUSE_MS;
  while (!signal.aborted) {
    try {
      for await (const item of connection()) {
        [met, away, pauseMs] = [true, false, FIRST_PAUSE_MS];
        yield { type: 'item', item };
      }
    } catch (thrown) {
      if (signal.aborted) return;
      const failure = Failure.from(thrown);
      if (!(met ? PASSING_ONCE_MET : PASSING).has(failure.code)) {
        yield { type: 'error', failure };
        return;
      }
      if (!away) yield { type: 'unreachable', failure };
      away = true;
    }
    await clock.sleep(pauseMs, signal);
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
  }
}
