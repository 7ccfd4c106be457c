// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import type { Bank } from '../tpm/algorithms.ts';
import { readEfiVariable } from './efi-variable.ts';
import type { FirmwareEvent } from './event-log.ts';
import { EVENT } from './event-types.ts';

/** Events whose digest is the hash of their data: PC Client Platform Firmware Profile 1.06, 10.4.1. */
const DIGEST_COVERS_DATA: ReadonlySet<number> = new Set([
  EVENT.SEPARATOR,
  EVENT.ACTION,
  EVENT.EFI_ACTION,
  EVENT.EFI_VARIABLE_DRIVER_CONFIG,
  EVENT.EFI_VARIABLE_BOOT,
  EVENT.EFI_VARIABLE_BOOT2,
  EVENT.EFI_VARIABLE_AUTHORITY,
]);

/**
 * Whether an event's data may be something else than what its PCR was extended with. Of all other types the data only describes
 * what was measured, and nothing is ever concluded from it.
 */
export function hasUncoveredData(event: FirmwareEvent, bank: Bank): boolean {
  if (!DIGEST_COVERS_DATA.has(event.type)) return false;
  const covered = [event.data, ...(event.type === EVENT.EFI_VARIABLE_BOOT ? [bootVariableData(event.data)] : [])];
  const digest = event.digests.get(bank);
  return !covered.some((data) => digest && createHash(bank).update(data).digest().equals(digest));
}

/** EDK II measures the value alone of a boot variable; later profiles have EV_EFI_VARIABLE_BOOT2 for the whole. */
function bootVariableData(data: Buffer): Buffer {
  try {
    return readEfiVariable(data).data;
  } catch {
    // No variable: then only the whole data can be what was measured.
    return data;
  }
}
