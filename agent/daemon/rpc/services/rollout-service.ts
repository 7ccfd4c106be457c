// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../../shared/failure.ts';
import type { lamadist } from '../../../shared/gen/messages.js';
import type { RolloutServiceHandlers } from '../../../shared/gen/services.ts';
import { put, type Register, requireAlone, take } from '../../rollout/register.ts';
import type { RolloutRegisters } from '../../rollout/registers.ts';
import { unary } from '../handlers.ts';

type RolloutMessage = lamadist.agent.v1.Rollout.$Properties;
type FenceMessage = lamadist.agent.v1.RolloutFence.$Properties;

/** Names a file. */
const ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const MAX_WITNESSES = 9;
const MAX_REPLACED = 64;
const MAX_TEXT_LENGTH = 300;
const MAX_PLAN_BYTES = 512 << 10;
const MAX_PROGRESS_BYTES = 256 << 10;

export function rolloutService(registers: Pick<RolloutRegisters, 'read' | 'change' | 'list'>): RolloutServiceHandlers {
  return {
    takeRollout: unary(async ({ rolloutId, epoch, holder }) => {
      requireClaim({ id: rolloutId, epoch, holder });
      return whole(rolloutId, await registers.change(rolloutId, (register) => take(register, { epoch, holder })));
    }),

    putRollout: unary(async ({ rollout, plan, progress, replaced }) => {
      const { id, epoch, holder, sequence, witnesses, summary, ended } = offered(rollout ?? {});
      requireClaim({ id, epoch, holder });
      requireRecord({ sequence, witnesses, summary, plan, progress });
      if (replaced.length > MAX_REPLACED) throw invalid('replaced');
      await registers.change(id, (register, others) => {
        requireAlone(register, ended, others, replaced);
        return put(register, holder, { epoch, sequence, witnesses, summary, ended, plan, progress });
      });
      return {};
    }),

    getRollout: unary(async ({ rolloutId }) => {
      const register = ID.test(rolloutId) ? await registers.read(rolloutId) : undefined;
      if (!register) throw new Failure('ROLLOUT_NOT_FOUND', `Cannot find the rollout: this node knows none "${rolloutId.slice(0, 36)}"`);
      return whole(rolloutId, register);
    }),

    listRollouts: unary(async () => ({ rollouts: (await registers.list()).map(({ id, register }) => header(id, register)) })),
  };
}

/**
 * Carries out a command, unless it comes of a runner that another one has fenced off; whoever fences it off meanwhile waits for it.
 * Throws ROLLOUT_TAKEN_OVER, INVALID_REQUEST.
 */
export async function guarded<Value>(
  registers: Pick<RolloutRegisters, 'guard'>,
  fence: FenceMessage | null | undefined,
  work: () => Promise<Value>,
): Promise<Value> {
  if (!fence) return work();
  if (!ID.test(fence.rolloutId ?? '')) throw invalid('rollout_id');
  return registers.guard(fence.rolloutId ?? '', fence.epoch ?? 0, work);
}

function offered({ id, epoch, holder, sequence, witnesses, summary, ended }: RolloutMessage) {
  return {
    id: id ?? '',
    epoch: epoch ?? 0,
    holder: holder ?? '',
    sequence: sequence ?? 0,
    witnesses: witnesses ?? [],
    summary: summary ?? '',
    ended: ended === true,
  };
}

function whole(id: string, register: Register): lamadist.agent.v1.GetRolloutResponse.$Properties {
  const { record } = register;
  return { rollout: header(id, register), ...(record && { plan: record.plan, progress: record.progress }) };
}

function header(id: string, { promised: { epoch, holder }, record }: Register): RolloutMessage {
  if (!record) return { id, epoch, holder };
  const { sequence, witnesses, summary, ended } = record;
  return { id, epoch, holder, sequence, writtenEpoch: record.epoch, witnesses: [...witnesses], summary, ended };
}

function requireClaim({ id, epoch, holder }: { readonly id: string; readonly epoch: number; readonly holder: string }): void {
  if (!ID.test(id)) throw invalid('rollout_id');
  if (!Number.isSafeInteger(epoch) || epoch < 1) throw invalid('epoch');
  if (holder === '' || holder.length > MAX_TEXT_LENGTH) throw invalid('holder');
}

interface Offered {
  readonly sequence: number;
  readonly witnesses: readonly string[];
  readonly summary: string;
  readonly plan: Uint8Array;
  readonly progress: Uint8Array;
}

function requireRecord({ sequence, witnesses, summary, plan, progress }: Offered): void {
  if (!Number.isSafeInteger(sequence) || sequence < 1) throw invalid('sequence');
  if (witnesses.length > MAX_WITNESSES || witnesses.some((name) => name.length > MAX_TEXT_LENGTH)) throw invalid('witnesses');
  if (summary.length > MAX_TEXT_LENGTH) throw invalid('summary');
  if (plan.length > MAX_PLAN_BYTES) throw invalid('plan');
  if (progress.length > MAX_PROGRESS_BYTES) throw invalid('progress');
}

function invalid(field: string): Failure {
  return new Failure('INVALID_REQUEST', `Cannot keep the rollout: "${field}" has a value that it cannot have`, { field });
}
