// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { type EfiVariable, readEfiVariable } from './efi-variable.ts';
import type { FirmwareEvent } from './event-log.ts';
import { EVENT } from './event-types.ts';

const EFI_GLOBAL_VARIABLE = '8be4df61-93ca-11d2-aa0d-00e098032b8c';
const SECURE_BOOT_PCR = 7;
const GUID_BYTES = 16;

export interface SecureBoot {
  /** Undefined when the log does not say, or says two things. */
  readonly enabled: boolean | undefined;
  /** SHA-256, as hex, of each certificate or other entry of db that allowed something to run. */
  readonly authorities: readonly string[];
}

/**
 * What the firmware measured into PCR 7: PC Client Platform Firmware Profile 1.06, 3.3.4.8. To be asked only of events whose
 * digests cover their data. The state counts only before the separator, for afterwards others than the firmware can extend.
 * Throws EVIDENCE_INVALID.
 */
export function secureBoot(events: readonly FirmwareEvent[]): SecureBoot {
  const ofPcr7 = events.filter(({ pcr }) => pcr === SECURE_BOOT_PCR);
  const separator = ofPcr7.findIndex(({ type }) => type === EVENT.SEPARATOR);
  const configured = separator < 0 ? [] : ofPcr7.slice(0, separator);
  const states = variables(configured, EVENT.EFI_VARIABLE_DRIVER_CONFIG).filter(isSecureBoot);
  return {
    enabled: states.length === 1 && states[0] ? isOne(states[0].data) : undefined,
    authorities: variables(ofPcr7, EVENT.EFI_VARIABLE_AUTHORITY).map(authority),
  };
}

function variables(events: readonly FirmwareEvent[], type: number): readonly EfiVariable[] {
  return events.filter((event) => event.type === type).map(({ data }) => readEfiVariable(data));
}

function isSecureBoot({ guid, name }: EfiVariable): boolean {
  return guid === EFI_GLOBAL_VARIABLE && name === 'SecureBoot';
}

function isOne(data: Buffer): boolean | undefined {
  if (data.length !== 1) return undefined;
  return data[0] === 1;
}

/** The hash of the signature in an EFI_SIGNATURE_DATA, without its owner's GUID: UEFI 2.10, 32.4.1. */
function authority({ data }: EfiVariable): string {
  return createHash('sha256').update(data.subarray(GUID_BYTES)).digest('hex');
}
