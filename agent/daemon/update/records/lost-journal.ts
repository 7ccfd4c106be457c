// SPDX-License-Identifier: Apache-2.0
import type { Failure } from '../../../shared/failure.ts';
import type { TrialRecord } from '../life/event.ts';
import type { Operation } from '../life/state.ts';
import { reasonOf } from '../life/step.ts';
import type { FailedVersion } from './failed-version.ts';
import type { History } from './history.ts';
import type { Journaled } from './journal.ts';
import type { Salvage } from './salvage.ts';

/** Of an update of which not even the id is known, if there was one: somebody who waits for it must not wait for ever. */
const UNKNOWN_ID = '00000000-0000-0000-0000-000000000000';

/**
 * What a node without its journal still knows. The history has the updates that ended, and which versions failed here; one that
 * it does not have, although the journal or a trial boot speaks of it, was under way and has failed with the journal.
 */
export async function withoutJournal(
  history: Pick<History, 'find' | 'failedVersions'>,
  found: Salvage,
  records: readonly TrialRecord[],
  damage: Failure,
  atMs: number,
): Promise<Journaled> {
  const failedVersions = merge(found.failedVersions, await history.failedVersions());
  const id = found.operationId || (records.at(-1)?.operationId ?? UNKNOWN_ID);
  const ended = id === UNKNOWN_ID ? undefined : await history.find(id);
  if (ended) return { state: ended, failedVersions };
  const phaseChanges = [{ phase: 'failed', atMs }];
  const operation = found.operation ?? unknownOperation(id);
  const reason = reasonOf(damage);
  return { state: { phase: 'failed', operation, fetched: null, phaseChanges, bundle: null, targetSlot: null, reason }, failedVersions };
}

const merge = (some: readonly FailedVersion[], others: readonly FailedVersion[]): FailedVersion[] => [
  ...some,
  ...others.filter(({ version }) => !some.some((known) => known.version === version)),
];

const unknownOperation = (id: string): Operation => ({
  id,
  source: { type: 'path', path: 'unknown' },
  rebootPolicy: 'manual',
  force: false,
  allowDowngrade: false,
  bytesPerSecond: 0,
  window: '',
  requestedBy: 'unknown',
});
