// SPDX-License-Identifier: Apache-2.0
// A boot that is measured as a real one: what it extends, and the three logs that tell of it.
import { createHash } from 'node:crypto';

export const NO_ACTION = 3;
export const SEPARATOR = 4;
export const IPL = 0xd;
export const DRIVER_CONFIG = 0x80000001;
const BOOT_VARIABLE = 0x80000002;
export const BOOT_APPLICATION = 0x80000003;
const GPT = 0x80000006;
export const EFI_ACTION = 0x80000007;
export const AUTHORITY = 0x800000e0;

const NUMBER = { sha1: 0x0004, sha256: 0x000b, sha384: 0x000c } as const;
const SIZE_BYTES = { sha1: 20, sha256: 32, sha384: 48 } as const;
type LogBank = keyof typeof NUMBER;

/** An event as it is written into a log: what was measured need not be what its data says. */
export interface TestEvent {
  readonly pcr: number;
  readonly type: number;
  readonly measured: Buffer;
  readonly data: Buffer;
  /** Of a EV_NO_ACTION that should have none. */
  readonly hasDigest?: true;
}

export const event = (pcr: number, type: number, data: Buffer | string, measured: Buffer | string = data): TestEvent => ({
  pcr,
  type,
  data: Buffer.from(data),
  measured: Buffer.from(measured),
});

export const hashed = (bank: string, data: Buffer | string) => createHash(bank).update(data).digest();

const u32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};
const u16 = (value: number) => u32(value).subarray(0, 2);

function efiVariable(guid: string, name: string, data: Buffer): Buffer {
  const [a = '', b = '', c = '', d = '', e = ''] = guid.split('-');
  const reversed = [a, b, c].map((group) => Buffer.from(group, 'hex').reverse());
  const sizes = Buffer.alloc(16);
  sizes.writeBigUInt64LE(BigInt(name.length), 0);
  sizes.writeBigUInt64LE(BigInt(data.length), 8);
  return Buffer.concat([...reversed, Buffer.from(d + e, 'hex'), sizes, Buffer.from(name, 'utf16le'), data]);
}

const GLOBAL = '8be4df61-93ca-11d2-aa0d-00e098032b8c';
export const secureBootVariable = (state: number) => efiVariable(GLOBAL, 'SecureBoot', Buffer.of(state));
const CERTIFICATE = Buffer.from('the certificate of the image builder');
export const platformKeyVariable = (key: string) => efiVariable(GLOBAL, 'PK', Buffer.from(key));
/** An entry of db: who allowed something to run. */
export const authorityOf = (certificate: Buffer): Buffer =>
  efiVariable('d719b2cb-3d3a-4596-a3bc-dad00e67656f', 'db', Buffer.concat([Buffer.alloc(16, 7), certificate]));
export const authorityVariable = authorityOf(CERTIFICATE);
const separators = [0, 1, 2, 3, 4, 5, 6, 7].map((pcr) => event(pcr, SEPARATOR, Buffer.alloc(4)));

/** A UKI's boot under Secure Boot, as EDK II and systemd-stub measure it. */
export const GOOD_EVENTS: readonly TestEvent[] = [
  event(0, 0x8, 'v1\0'),
  event(0, 0x8000000a, 'where the firmware is', 'the firmware itself'),
  event(7, DRIVER_CONFIG, secureBootVariable(1)),
  event(7, DRIVER_CONFIG, platformKeyVariable('platform key')),
  event(2, 0x80000004, 'which option ROM', 'the option ROM itself'),
  event(1, BOOT_VARIABLE, efiVariable(GLOBAL, 'BootOrder', Buffer.of(1, 0)), Buffer.of(1, 0)),
  event(4, EFI_ACTION, 'Calling EFI Application from Boot Option'),
  ...separators,
  event(7, AUTHORITY, authorityVariable),
  event(4, BOOT_APPLICATION, 'where the UKI is', 'the UKI itself'),
  event(11, IPL, '.linux\0', '.linux\0'),
  event(11, IPL, '.linux\0', 'the kernel'),
  event(5, GPT, 'where the partition table is', 'the partition table itself'),
  event(6, EFI_ACTION, 'something of the maker of the machine'),
];

export function specId(banks: readonly LogBank[]): Buffer {
  const algorithms = banks.map((bank) => Buffer.concat([u16(NUMBER[bank]), u16(SIZE_BYTES[bank])]));
  const numbers = Buffer.concat([u32(0), Buffer.of(0, 2, 0, 2), u32(banks.length), ...algorithms, Buffer.of(0)]);
  return Buffer.concat([Buffer.from('Spec ID Event03\0', 'latin1'), numbers]);
}

export function writeEventLog(events: readonly TestEvent[], banks: readonly LogBank[] = ['sha1', 'sha256']): Buffer {
  const header = specId(banks);
  const body = events.map(({ pcr, type, measured, data, hasDigest }) => {
    const digests = banks.map((bank) => {
      const digest = hashed(bank, measured);
      return Buffer.concat([u16(NUMBER[bank]), type === NO_ACTION && !hasDigest ? digest.fill(0) : digest]);
    });
    return Buffer.concat([u32(pcr), u32(type), u32(banks.length), ...digests, u32(data.length), data]);
  });
  return Buffer.concat([u32(0), u32(NO_ACTION), Buffer.alloc(20), u32(header.length), header, ...body]);
}

export const startupLocality = (pcr: number, locality: number): TestEvent =>
  event(pcr, NO_ACTION, Buffer.concat([Buffer.from('StartupLocality\0', 'latin1'), Buffer.of(locality)]));

export interface Phase {
  readonly pcr: number;
  readonly type: string;
  readonly text: string;
  readonly measured: string;
}

const phase = (text: string): Phase => ({ pcr: 11, type: 'phase', text, measured: text });

export const GOOD_PHASES: readonly Phase[] = [
  ...['enter-initrd', 'leave-initrd', 'sysinit', 'ready'].map(phase),
  { pcr: 15, type: 'volume-key', text: 'cryptsetup:var:0123', measured: 'a MAC of that by the volume key' },
];

export function writeUserspaceLog(phases: readonly Phase[]): Buffer {
  const records = phases.map(({ pcr, type, text, measured }) => ({
    pcr,
    digests: (['sha1', 'sha256'] as const).map((hashAlg) => ({ hashAlg, digest: hashed(hashAlg, measured).toString('hex') })),
    content_type: 'systemd',
    content: { eventType: type, string: text, bootId: '00112233445566778899aabbccddeeff', timestamp: 1 },
  }));
  return Buffer.from(records.map((record) => `\x1e${JSON.stringify(record)}\n`).join(''));
}

export interface ImaFile {
  readonly path: string;
  readonly hash: string;
  /** Of its hash; SHA-256 when left out. */
  readonly algorithm?: string;
  readonly isViolation?: true;
}

/** What IMA begins with: the hash of PCR 0 to 9. */
function bootAggregate(events: readonly TestEvent[]): ImaFile {
  const values = Object.values(pcrValues({ events, phases: [], files: [] })).slice(0, 10);
  return { path: 'boot_aggregate', hash: hashed('sha256', Buffer.concat(values)).toString('hex') };
}

export const GOOD_FILES: readonly ImaFile[] = [
  bootAggregate(GOOD_EVENTS),
  { path: '/usr/bin/node', hash: hashed('sha256', 'node').toString('hex') },
  { path: '/usr/bin/a_name_with_spaces', hash: hashed('sha256', 'spaces').toString('hex') },
];

function imaTemplate({ path, hash, algorithm = 'sha256' }: ImaFile): Buffer {
  const fields = [Buffer.concat([Buffer.from(`${algorithm}:\0`), Buffer.from(hash, 'hex')]), Buffer.from(`${path}\0`)];
  return Buffer.concat(fields.flatMap((field) => [u32(field.length), field]));
}

const imaDigest = (bank: string, file: ImaFile) => (file.isViolation ? Buffer.alloc(20) : hashed(bank, imaTemplate(file)));

export function writeImaLog(files: readonly ImaFile[]): Buffer {
  return Buffer.from(
    files
      .map((file) => `10 ${imaDigest('sha1', file).toString('hex')} ima-ng ${file.algorithm ?? 'sha256'}:${file.hash} ${file.path}\n`)
      .join(''),
  );
}

export function writeBinaryImaLog(files: readonly ImaFile[]): Buffer {
  const entries = files.map((file) => {
    const template = imaTemplate(file);
    return Buffer.concat([u32(10), imaDigest('sha1', file), u32(6), Buffer.from('ima-ng'), u32(template.length), template]);
  });
  return Buffer.concat(entries);
}

export interface Boot {
  readonly events: readonly TestEvent[];
  readonly phases: readonly Phase[];
  readonly files: readonly ImaFile[];
}

export const GOOD_BOOT: Boot = { events: GOOD_EVENTS, phases: GOOD_PHASES, files: GOOD_FILES };

/** What the boot extends in a bank: PCR and digest, in order. */
export function extensions({ events, phases, files }: Boot, bank: LogBank): readonly (readonly [number, Buffer])[] {
  const violated = Buffer.alloc(SIZE_BYTES[bank], 0xff);
  return [
    ...events.filter(({ type }) => type !== NO_ACTION).map(({ pcr, measured }) => [pcr, hashed(bank, measured)] as const),
    ...phases.map(({ pcr, measured }) => [pcr, hashed(bank, measured)] as const),
    ...files.map((file) => [10, file.isViolation ? violated : hashed(bank, imaTemplate(file))] as const),
  ];
}

/** The values of PCR 0 to 15 that the boot leads to. */
export function pcrValues(boot: Boot, locality = 0): Record<string, Buffer> {
  const values = Array.from({ length: 16 }, () => Buffer.alloc(32));
  values[0]?.writeUInt8(locality, 31);
  for (const [pcr, digest] of extensions(boot, 'sha256')) values[pcr] = hashed('sha256', Buffer.concat([values[pcr] as Buffer, digest]));
  return Object.fromEntries(values.map((value, pcr) => [String(pcr), value]));
}
