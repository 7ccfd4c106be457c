// SPDX-License-Identifier: Apache-2.0
import type { NodeConnection } from '../node/node.ts';
import type { Update } from '../node/node-update.ts';
import type { NodeAsking } from './node-asking.ts';
import { type UpdateWatch, unlessRollingBack, waitsForBoot, whyOf } from './update-watch.ts';

/**
 * Why a node could not be brought back to what it ran before a rollout; empty when it was. `ready` has it ready to go down, or tells
 * why it is not to. Throws a Failure.
 */
export async function whyNotUndone(
  asking: NodeAsking,
  watch: UpdateWatch,
  ready: () => Promise<string>,
  node: number,
  attempt: number,
  signal: AbortSignal,
): Promise<string> {
  const { absentMs, nodeMs } = asking.parts.plan.options;
  const look = async (connection: NodeConnection): Promise<Update | undefined> => {
    await connection.takeRollout(asking.parts.claim);
    return connection.update('');
  };
  // A node that is off is undone by the next "undo", and holds up the others no longer than any that is away.
  const last = await asking.insist(node, signal, look, Math.min(absentMs, nodeMs));
  if (!last || !asking.isOurs(node, last)) return whyNotOurs(asking, node, attempt, signal);
  if (last.phase === 'rolled-back' || last.phase === 'failed') return whyStillNew(asking, node, attempt, last, signal);
  if (last.phase !== 'rolling-back') {
    const needed = waitsForBoot(last) ? '' : await ready();
    if (needed !== '') return needed;
    const only = { operationId: last.operationId, rolloutFence: asking.parts.claim };
    await asking.insist(node, signal, (connection) => connection.rollBack('The rollout was undone', only).catch(unlessRollingBack));
  }
  const end = await watch.end(node, last.operationId, signal);
  if (end.type !== 'result' || end.update.phase === 'committed') return whyOf(end);
  return whyStillNew(asking, node, attempt, end.update, signal);
}

/** An attempt that never reached the node changed nothing there. */
async function whyNotOurs(asking: NodeAsking, node: number, attempt: number, signal: AbortSignal): Promise<string> {
  for (let each = attempt; each > 0; each--) {
    const known = await asking.insist(node, signal, (connection) => asking.known(connection, node, each));
    if (known?.phase === 'committed') return 'it was updated by somebody else since';
  }
  return whyStillNew(asking, node, attempt, undefined, signal);
}

/** An undone node runs what it ran before, whatever its update says. */
function whyStillNew(asking: NodeAsking, node: number, attempt: number, undone: Update | undefined, signal: AbortSignal): Promise<string> {
  const version = undone?.bundle?.version || asking.parts.plan.bundle.version;
  return asking.insist(node, signal, async (connection: NodeConnection) => {
    const { imageVersion, slots } = await connection.device();
    const booted = slots.find((slot) => slot.booted)?.name;
    // The only attempt on a node that ran the same version before.
    const isBack = attempt === 1 && undone !== undefined && booted === undone.sourceSlot;
    return version === '' || imageVersion !== version || isBack ? '' : `it runs ${imageVersion} still, and has nothing older to return to`;
  });
}
