// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../../shared/failure.ts';
import type { UpdateState } from '../../update/life/state.ts';

/** Refuses a command that is for another update than the node's last; an empty id means whichever it is. Throws UPDATE_NOT_FOUND. */
export function requireLast(state: UpdateState, operationId: string): void {
  const current = state.phase === 'idle' ? '' : state.operation.id;
  if (operationId === '' || operationId === current) return;
  throw new Failure('UPDATE_NOT_FOUND', `Cannot do this to the update: "${operationId}" is not the last one of this node`);
}
