// SPDX-License-Identifier: Apache-2.0
import { type ExitName, exitOfFailure, worst } from '../../exit-code.ts';
import { type Reconnected, reconnecting } from '../../fleet/reconnecting.ts';
import type { NodeConnection, Target } from '../../node/node.ts';
import { failureDocument, renderEvent } from '../../output/document.ts';
import { failureText } from '../../output/failure-text.ts';
import { type Session, USUAL_TIMEOUT_MS } from '../session.ts';

/** What is followed on every node, and how one item of it is shown. */
export interface FollowNodes<Item extends { readonly cursor: string }> {
  /** The items after a cursor; where there is none yet, those to begin with. */
  open(node: NodeConnection, afterCursor: string): AsyncIterable<Item>;
  /** Properties of an item's document, beside its node; one is its type. */
  document(item: Item): object;
  /** For a person, with the line's end. */
  text(node: string, item: Item): string;
}

/**
 * Shows what every selected node tells, as it comes, through reboots and broken connections, until Ctrl-C. Nothing is shown twice
 * and nothing is left out, as far as the node still has it.
 */
export async function followNodes<Item extends { readonly cursor: string }>(session: Session, plan: FollowNodes<Item>): Promise<ExitName> {
  const targets = await session.targets();
  const interrupt = new AbortController();
  const stopListening = session.world.onInterrupt(() => interrupt.abort());
  try {
    return worst(await Promise.all(targets.map((target) => followOne(session, target, plan, interrupt.signal))));
  } finally {
    stopListening();
  }
}

async function followOne<Item extends { readonly cursor: string }>(
  session: Session,
  target: Target,
  plan: FollowNodes<Item>,
  outer: AbortSignal,
): Promise<ExitName> {
  // Of its own: a signal that many nodes share gathers listeners.
  const own = new AbortController();
  const stop = () => own.abort();
  outer.addEventListener('abort', stop, { once: true });
  if (outer.aborted) stop();
  const { clock } = session.world;
  let cursor = '';
  try {
    for await (const event of reconnecting(() => connection(session, target, plan, cursor, own.signal), {
      clock,
      met: false,
      signal: own.signal,
    })) {
      await show(session, target.name, event, plan);
      if (event.type === 'error') return exitOfFailure(event.failure);
      if (event.type === 'item') cursor = event.item.cursor;
    }
    return 'done';
  } finally {
    outer.removeEventListener('abort', stop);
  }
}

async function* connection<Item extends { readonly cursor: string }>(
  { world, timeoutMs }: Session,
  target: Target,
  plan: FollowNodes<Item>,
  cursor: string,
  signal: AbortSignal,
): AsyncGenerator<Item, void> {
  const node = await world.connect(target, { timeoutMs: timeoutMs(USUAL_TIMEOUT_MS), signal });
  try {
    // A stream may be silent for hours, so only a call with a deadline shows that the node is there.
    await node.device();
    yield* plan.open(node, cursor);
  } finally {
    node.close();
  }
}

async function show<Item extends { readonly cursor: string }>(
  { world, format }: Session,
  node: string,
  event: Reconnected<Item>,
  plan: FollowNodes<Item>,
): Promise<void> {
  const { stdout, stderr } = world;
  if (format !== 'table') {
    const told = event.type === 'item' ? plan.document(event.item) : { type: event.type, error: failureDocument(event.failure) };
    stdout.write(await renderEvent(format, { node, ...told }));
  } else if (event.type === 'item') {
    stdout.write(plan.text(node, event.item));
  } else {
    stderr.write(event.type === 'error' ? failureText(node, event.failure) : `${node}: ${event.failure.message}; trying again\n`);
  }
}
