// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../shared/failure.ts';
import type { Connect, Target } from '../node/node.ts';
import { hasEnded } from '../node/node-state.ts';
import type { Update, UpdateEvent } from '../node/node-update.ts';
import type { Clock } from '../world.ts';
import { reconnecting } from './reconnecting.ts';

export type FollowEvent =
  | { readonly type: 'progress'; readonly update: Update }
  /** The node went away, once for each time; it reboots, or its network does. */
  | { readonly type: 'unreachable'; readonly failure: Failure }
  | FollowEnd;

/** The last event. `left`: the update goes on without lamactl. */
export type FollowEnd =
  | { readonly type: 'result'; readonly update: Update }
  | { readonly type: 'left'; readonly why: LeftBecause }
  | { readonly type: 'error'; readonly failure: Failure };

type LeftBecause = 'interrupted' | 'out-of-time' | 'waits-for-reboot';

export interface FollowOptions {
  readonly connect: Connect;
  readonly clock: Clock;
  /** Ctrl-C. */
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  readonly waitMs: number;
  /** Whether this node answered lamactl before: then a refusal may pass, for a node without a clock boots in the past. */
  readonly met: boolean;
}

/**
 * Watches one update to its end, through reboots: reconnects with growing pauses and goes on after the last cursor. An
 * empty operation id means the last update of the node. Never throws; its last event is a FollowEnd.
 */
export async function* follow(target: Target, operationId: string, options: FollowOptions): AsyncGenerator<FollowEvent, void> {
  const { clock, waitMs } = options;
  const over = new AbortController();
  const stop = AbortSignal.any([options.signal, over.signal]);
  const finished = new AbortController();
  void clock.sleep(waitMs, finished.signal).then(() => over.abort());
  try {
    yield* attempts(target, operationId, options, stop);
  } finally {
    finished.abort();
  }
}

async function* attempts(
  target: Target,
  operationId: string,
  options: FollowOptions,
  stop: AbortSignal,
): AsyncGenerator<FollowEvent, void> {
  const thread: Thread = { operationId, cursor: '' };
  const { clock, met } = options;
  for await (const event of reconnecting(() => oneConnection(target, thread, options, stop), { clock, met, signal: stop })) {
    if (event.type === 'item') {
      const { type, update } = event.item;
      yield { type, update };
      if (type === 'result') return;
    } else {
      yield event;
      if (event.type === 'error') return;
    }
  }
  yield { type: 'left', why: options.signal.aborted ? 'interrupted' : 'out-of-time' };
}

/** What is kept from one connection to the next. */
interface Thread {
  operationId: string;
  cursor: string;
}

/** Events of one connection; ends when it ends, with or without a result. */
async function* oneConnection(
  target: Target,
  thread: Thread,
  { connect, timeoutMs }: FollowOptions,
  signal: AbortSignal,
): AsyncGenerator<Pick<UpdateEvent, 'type' | 'update'>, void> {
  const node = await connect(target, { timeoutMs, signal });
  try {
    // A stream may be silent for minutes, so only a call with a deadline shows that the node is there.
    const update = await node.update(thread.operationId);
    if (!update) throw new Failure('UPDATE_NOT_FOUND', 'Cannot watch an update: this node was never asked for one');
    thread.operationId = update.operationId;
    if (hasEnded(update.phase)) {
      yield { type: 'result', update };
      return;
    }
    for await (const event of node.watch(thread.operationId, thread.cursor)) {
      thread.cursor = event.cursor;
      yield event;
    }
  } finally {
    node.close();
  }
}
