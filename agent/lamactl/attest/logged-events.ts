// SPDX-License-Identifier: Apache-2.0
import { printable } from '../../shared/printable.ts';
import { readEfiVariable } from './event-log/efi-variable.ts';
import { type FirmwareEvent, readEventLog } from './event-log/event-log.ts';
import { EVENT, eventName } from './event-log/event-types.ts';
import type { Evidence } from './evidence.ts';
import { IMA_PCR, type ImaEntry, imaDigest, readImaLog } from './ima-log.ts';
import type { Bank } from './tpm/algorithms.ts';
import { readUserspaceLog, type UserspaceEvent } from './userspace-log.ts';

/** An entry of one of the three logs, for people. */
export interface LoggedEvent {
  readonly pcr: number;
  readonly log: 'firmware' | 'userspace' | 'ima';
  /** Its place in its log. */
  readonly index: number;
  readonly type: string;
  /** What the PCR was extended with, hexadecimal. */
  readonly digest: string;
  /** What its data says, which nothing but the digest vouches for. */
  readonly text: string;
}

/** Everything that the logs of evidence tell of, in the order of each log. Throws EVIDENCE_INVALID. */
export function loggedEvents(evidence: Evidence, bank: Bank): readonly LoggedEvent[] {
  const { events } = readEventLog(evidence.event_log);
  const all: readonly LoggedEvent[] = [
    ...events.filter(({ type }) => type !== EVENT.NO_ACTION).map((event) => ofFirmware(event, bank)),
    ...readUserspaceLog(evidence.userspace_log, bank).map(ofUserspace),
    ...readImaLog(evidence.ima_log).map((entry) => ofIma(entry, bank)),
  ];
  // A node chooses these words, and they are printed in whatever form is asked for.
  return all.map((event) => ({ ...event, type: printable(event.type), text: printable(event.text) }));
}

function ofFirmware(event: FirmwareEvent, bank: Bank): LoggedEvent {
  const { pcr, index, type } = event;
  return {
    pcr,
    log: 'firmware',
    index,
    type: eventName(type),
    digest: event.digests.get(bank)?.toString('hex') ?? '',
    text: describe(event),
  };
}

function ofUserspace({ pcr, index, type, digest, text }: UserspaceEvent): LoggedEvent {
  return { pcr, log: 'userspace', index, type, digest: digest.toString('hex'), text };
}

function ofIma(entry: ImaEntry, bank: Bank): LoggedEvent {
  const type = entry.isViolation ? 'violation' : 'file';
  return {
    pcr: IMA_PCR,
    log: 'ima',
    index: entry.line,
    type,
    digest: imaDigest(bank, entry).toString('hex'),
    text: `${entry.path} ${entry.fileHash}`,
  };
}

const VARIABLES: ReadonlySet<number> = new Set([
  EVENT.EFI_VARIABLE_DRIVER_CONFIG,
  EVENT.EFI_VARIABLE_BOOT,
  EVENT.EFI_VARIABLE_BOOT2,
  EVENT.EFI_VARIABLE_AUTHORITY,
]);
const TEXT_LIMIT_CHARACTERS = 80;

function describe({ type, data }: FirmwareEvent): string {
  if (VARIABLES.has(type)) return nameOfVariable(data);
  const isWide = data.length > 3 && data.subarray(0, 16).every((octet, at) => at % 2 === 0 || octet === 0);
  const text = data.toString(isWide ? 'utf16le' : 'latin1').replace(/\0+$/, '');
  return /^[\x20-\x7e]+$/.test(text) ? text.slice(0, TEXT_LIMIT_CHARACTERS) : `${data.length} bytes`;
}

function nameOfVariable(data: Buffer): string {
  try {
    const { name, data: value } = readEfiVariable(data);
    return `${name} (${value.length} bytes)`;
  } catch {
    return `${data.length} bytes that are no EFI variable`;
  }
}
