// SPDX-License-Identifier: Apache-2.0
import type { EventLog, FirmwareEvent } from './event-log/event-log.ts';
import { EVENT } from './event-log/event-types.ts';
import { startupLocality } from './event-log/startup-locality.ts';
import { type Extension, type PcrValues, replay } from './pcr-bank.ts';
import type { Bank } from './tpm/algorithms.ts';
import type { UserspaceEvent } from './userspace-log.ts';

/** PCR 0 to 15 after what the firmware and then userspace say that they measured. PCR 10 is IMA's, and has its own log. */
export function replayBoot(bank: Bank, { events }: EventLog, userspaceEvents: readonly UserspaceEvent[]): PcrValues {
  return replay(bank, [...events.flatMap((event) => extensionsOf(event, bank)), ...userspaceEvents], startupLocality(events));
}

function extensionsOf({ pcr, type, digests }: FirmwareEvent, bank: Bank): readonly Extension[] {
  const digest = digests.get(bank);
  return type === EVENT.NO_ACTION || !digest ? [] : [{ pcr, digest }];
}
