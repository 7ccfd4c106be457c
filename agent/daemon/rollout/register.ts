// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../shared/failure.ts';

/** Who may write: the newest epoch that was promised, and to whom. Two runners may choose the same epoch; one of them was first. */
export interface Claim {
  readonly epoch: number;
  readonly holder: string;
}

/** What is written of a rollout; `plan` never changes. */
export interface RolloutRecord {
  readonly epoch: number;
  readonly sequence: number;
  readonly witnesses: readonly string[];
  readonly summary: string;
  readonly ended: boolean;
  readonly plan: Uint8Array;
  readonly progress: Uint8Array;
}

/** What a node keeps of one rollout: a register that only the newest runner writes. */
export interface Register {
  readonly promised: Claim;
  readonly record?: RolloutRecord;
}

/** Another rollout that a node knows. */
export interface Neighbour {
  readonly id: string;
  readonly register: Register;
}

/** Promises to refuse whoever is older. Throws ROLLOUT_TAKEN_OVER. */
export function take(register: Register | undefined, claim: Claim): Register {
  requireNewest(register, claim);
  return { ...register, promised: claim };
}

/** Writes a record; one that was written already is no harm, and an empty plan means the one that is there. Throws ROLLOUT_TAKEN_OVER. */
export function put(register: Register | undefined, holder: string, offered: RolloutRecord): Register {
  const claim = { epoch: offered.epoch, holder };
  requireNewest(register, claim);
  const written = register?.record;
  if (written && isOlder(offered, written)) {
    throw takenOver(`record ${written.sequence} of epoch ${written.epoch} is written already`, register.promised);
  }
  const plan = offered.plan.length > 0 ? offered.plan : (written?.plan ?? offered.plan);
  return { promised: claim, record: { ...offered, plan } };
}

/**
 * Refuses the first record of a rollout while another has not ended, so that of two that begin at once no more than one has a
 * majority. One that is given up may always say so. Throws ROLLOUT_UNDER_WAY.
 */
export function requireAlone(
  register: Register | undefined,
  ended: boolean,
  others: readonly Neighbour[],
  replaced: readonly string[],
): void {
  if (register?.record || ended) return;
  const other = others.find(({ id, register: { record } }) => record?.ended === false && !replaced.includes(id));
  if (!other) return;
  const found = `another has not ended: ${other.id}, ${other.register.record?.summary}`;
  throw new Failure('ROLLOUT_UNDER_WAY', `Cannot begin a rollout: ${found}`, { rollout: other.id });
}

/** Refuses the command of a runner that was fenced off. Throws ROLLOUT_TAKEN_OVER. */
export function requireEpoch(register: Register | undefined, epoch: number): void {
  if (register && register.promised.epoch > epoch) throw takenOver(heldBy(register.promised), register.promised);
}

function requireNewest(register: Register | undefined, { epoch, holder }: Claim): void {
  if (!register) return;
  const { promised } = register;
  if (epoch > promised.epoch || (epoch === promised.epoch && holder === promised.holder)) return;
  throw takenOver(heldBy(promised), promised);
}

const isOlder = (a: RolloutRecord, b: RolloutRecord): boolean => a.epoch < b.epoch || (a.epoch === b.epoch && a.sequence < b.sequence);
const heldBy = ({ epoch, holder }: Claim): string => `${holder} holds it under epoch ${epoch}`;

function takenOver(found: string, { epoch, holder }: Claim): Failure {
  return new Failure('ROLLOUT_TAKEN_OVER', `Cannot go on with the rollout: ${found}`, { epoch: String(epoch), holder });
}
