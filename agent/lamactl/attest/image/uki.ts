// SPDX-License-Identifier: Apache-2.0
import { unreadable } from '../byte-reader.ts';
import { type PeFile, readPe, type Section } from './pe-file.ts';

/** A unified kernel image: UAPI.5, and systemd-stub(7). */
export interface Uki {
  readonly pe: PeFile;
  /** systemd-stub's version, such as 257. */
  readonly stubVersion: number;
  /** What the stub measures, in its order. */
  readonly measured: readonly Payload[];
  /** The inner kernel: a PE image in itself. */
  readonly kernel: Buffer;
}

interface Payload {
  readonly name: string;
  readonly content: Buffer;
}

/** The order in which systemd-stub measures sections, and its first version that knew each. The signature of PCRs, .pcrsig, never is. */
const MEASURED_SINCE: ReadonlyMap<string, number> = new Map([
  ['.linux', 252],
  ['.osrel', 252],
  ['.cmdline', 252],
  ['.initrd', 252],
  ['.ucode', 256],
  ['.splash', 252],
  ['.dtb', 252],
  ['.uname', 254],
  ['.sbat', 254],
  ['.pcrpkey', 252],
  ['.profile', 257],
  ['.hwids', 257],
]);
/** Which of them is used, and measured, depends on the machine. */
const CHOSEN_BY_MACHINE = ['.dtbauto', '.efifw'];

/** Reads a UKI with one of its profiles, if it has any: the stub takes the first unless told otherwise. Throws EVIDENCE_INVALID. */
export function readUki(bytes: Buffer, profile = 0): Uki {
  const pe = readPe(bytes);
  const stubVersion = versionOfStub(pe.sections);
  const unpredictable = pe.sections.find(({ name }) => CHOSEN_BY_MACHINE.includes(name));
  if (unpredictable) throw wrong(`what a section ${unpredictable.name} leads to depends on the machine`);
  const sections = sectionsOfProfile(pe.sections, profile);
  const measured = [...MEASURED_SINCE].flatMap(([name, since]) => {
    const section = sections.get(name);
    return section && stubVersion >= since ? [{ name, content: contentOf(section) }] : [];
  });
  const kernel = measured.find(({ name }) => name === '.linux')?.content;
  if (!kernel) throw wrong('it has no section .linux');
  return { pe, stubVersion, measured, kernel };
}

/** The text "#### LoaderInfo: systemd-stub 257.9 ####" of section .sdmagic. */
function versionOfStub(sections: readonly Section[]): number {
  const magic = sections.find(({ name }) => name === '.sdmagic')?.raw.toString('latin1', 0, 256) ?? '';
  const [, version] = /^#### LoaderInfo: systemd-stub (\d{3})/.exec(magic) ?? [];
  if (version === undefined || Number(version) < 252) throw wrong('its stub is not that of systemd 252 or later');
  return Number(version);
}

/** Sections before the first .profile are everybody's; those of a profile stand in for them: systemd-stub(7), "Profiles". */
function sectionsOfProfile(sections: readonly Section[], profile: number): ReadonlyMap<string, Section> {
  const starts = sections.flatMap(({ name }, index) => (name === '.profile' ? [index] : []));
  const base = uniquely(sections.slice(0, starts[0]));
  if (starts.length === 0) return base;
  const start = starts[profile];
  if (start === undefined) throw wrong(`it has no profile ${profile}`);
  return new Map([...base, ...uniquely(sections.slice(start, starts[profile + 1]))]);
}

function uniquely(sections: readonly Section[]): ReadonlyMap<string, Section> {
  const measured = sections.filter(({ name }) => MEASURED_SINCE.has(name));
  const unique = new Map(measured.map((section) => [section.name, section]));
  if (unique.size !== measured.length) throw wrong('a section comes twice');
  return unique;
}

/** As many bytes as the section has in memory, for the stub measures it there. */
function contentOf({ name, virtualSizeBytes, raw }: Section): Buffer {
  if (virtualSizeBytes > raw.length) throw wrong(`section ${name} is longer in memory than in the file`);
  return raw.subarray(0, virtualSizeBytes);
}

function wrong(found: string) {
  return unreadable('the unified kernel image', found);
}
