// SPDX-License-Identifier: Apache-2.0
import type { FirmwareEvent } from './event-log.ts';
import { EVENT } from './event-types.ts';

const SIGNATURE = Buffer.from('StartupLocality\0', 'latin1');
/** Localities in which a TPM can be started: PC Client Platform TPM Profile; 4 is that of a hardware root of trust. */
const LOCALITIES = [0, 3, 4];

function isStartupLocality({ type, data }: FirmwareEvent): boolean {
  return type === EVENT.NO_ACTION && data.subarray(0, SIGNATURE.length).equals(SIGNATURE);
}

/**
 * The locality of TPM2_Startup, which PCR 0 begins with: TCG_EfiStartupLocalityEvent, PC Client Platform Firmware Profile 1.06,
 * 10.4.5.3. 0 when the log has no such event. Whether the events are as they should be is a check of its own.
 */
export function startupLocality(events: readonly FirmwareEvent[]): number {
  return events.find(isStartupLocality)?.data.at(SIGNATURE.length) ?? 0;
}

/** A StartupLocality event that claims what it may not: a second one, another PCR, a late one, or no locality. */
export function misplacedLocality(events: readonly FirmwareEvent[]): FirmwareEvent | undefined {
  const firstOfPcr0 = events.findIndex(({ pcr, type }) => pcr === 0 && type !== EVENT.NO_ACTION);
  const [first, second] = events.filter(isStartupLocality);
  if (!first || second) return second;
  const isLate = firstOfPcr0 >= 0 && events.indexOf(first) > firstOfPcr0;
  const locality = first.data.length === SIGNATURE.length + 1 ? first.data.at(-1) : undefined;
  return isLate || first.pcr !== 0 || locality === undefined || !LOCALITIES.includes(locality) ? first : undefined;
}
