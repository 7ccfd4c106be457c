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
 * digests cover their data, and of which none is misnamed. The state counts only before the separator, for afterwards others than
 * the firmware can extend. Throws EVIDENCE_INVALID.
 */
export function secureBoot(events: readonly FirmwareEvent[]): SecureBoot {
  const measured = ofPcr7(events);
  const separator = measured.findIndex(isSeparator);
  const configured = separator < 0 ? [] : measured.slice(0, separator);
  const states = variables(configured, EVENT.EFI_VARIABLE_DRIVER_CONFIG).filter(isSecureBoot);
  return {
    enabled: states.length === 1 && states[0] ? isOne(states[0].data) : undefined,
    authorities: variables(measured, EVENT.EFI_VARIABLE_AUTHORITY).map(authority),
  };
}

/**
 * The first event of PCR 7 whose type does not follow from its data. No digest covers a type: whoever writes the log can call the
 * state that was measured a text, the separator an action, or a certificate that allowed something one of the configuration.
 */
export function misnamedEvent(events: readonly FirmwareEvent[]): FirmwareEvent | undefined {
  let isHandedOver = false;
  const configured = new Set<string>();
  return ofPcr7(events).find((event) => {
    if (isSeparator(event)) {
      isHandedOver = true;
      // The digest of this type covers its data; under another, the same data could stand for anything.
      return event.type !== EVENT.SEPARATOR;
    }
    const variable = variableIn(event.data);
    if (!variable) return !isText(event);
    // Keys and the state of Secure Boot allow nothing to run.
    if (event.type === EVENT.EFI_VARIABLE_AUTHORITY) return variable.guid === EFI_GLOBAL_VARIABLE;
    // The firmware tells each variable once, and all of them before it hands over: another is a certificate in disguise.
    const name = `${variable.guid} ${variable.name}`;
    const isKnown = configured.has(name);
    configured.add(name);
    return event.type !== EVENT.EFI_VARIABLE_DRIVER_CONFIG || isHandedOver || isKnown;
  });
}

const TEXT = /^[\x20-\x7e]+\0?$/;
/** What EV_SEPARATOR says where nothing went wrong: 10.4.1. */
const SEPARATORS = ['00000000', 'ffffffff'];

/** An authority that is no variable, which old loaders measured, is no text either. */
function isText({ type, data }: FirmwareEvent): boolean {
  return (type === EVENT.ACTION || type === EVENT.EFI_ACTION) && TEXT.test(data.toString('latin1'));
}

function ofPcr7(events: readonly FirmwareEvent[]): readonly FirmwareEvent[] {
  return events.filter(({ pcr, type }) => pcr === SECURE_BOOT_PCR && type !== EVENT.NO_ACTION);
}

function isSeparator({ data }: FirmwareEvent): boolean {
  return SEPARATORS.includes(data.toString('hex'));
}

function variableIn(data: Buffer): EfiVariable | undefined {
  try {
    return readEfiVariable(data);
  } catch {
    // It is something else.
    return undefined;
  }
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
