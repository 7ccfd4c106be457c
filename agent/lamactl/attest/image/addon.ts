// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { unreadable } from '../byte-reader.ts';
import { extend, extendAll, resetValue } from '../pcr-bank.ts';
import type { Bank } from '../tpm/algorithms.ts';
import { authenticodeHash } from './authenticode.ts';
import { type PeFile, readPe } from './pe-file.ts';

/** An addon of a UKI that has nothing but words for the kernel's command line: systemd-stub(7). */
export interface Addon {
  readonly pe: PeFile;
  readonly commandLine: string;
}

/** Sections that change what boots in other ways than a command line. */
const OTHERS = ['.linux', '.initrd', '.ucode', '.dtb', '.dtbauto', '.efifw', '.hwids'];
/** What the stub would change before it measures it, nobody writes into an addon. */
const PLAIN = /^[!-~]+( [!-~]+)*$/;

/** Throws EVIDENCE_INVALID. */
export function readAddon(bytes: Buffer): Addon {
  const pe = readPe(bytes);
  const other = pe.sections.find(({ name }) => OTHERS.includes(name));
  if (other) throw wrong(`it has a section ${other.name}, and only a command line can be foretold`);
  const sections = pe.sections.filter(({ name }) => name === '.cmdline');
  const [section] = sections;
  if (!section || sections.length > 1) throw wrong('it has not one section .cmdline');
  const commandLine = section.raw.toString('latin1', 0, section.virtualSizeBytes).replace(/\0+$/, '');
  if (!PLAIN.test(commandLine)) throw wrong('its command line is not words of printable ASCII with one space between them');
  return { pe, commandLine };
}

/** What the firmware extends PCR 4 with when the stub has it load the addon, after the image itself. */
export function addonDigest({ pe }: Addon, bank: Bank): Buffer {
  return authenticodeHash(pe, bank);
}

/** PCR 4 of an image that is booted with an addon, from its value without. It holds under Secure Boot, without which an addon is anybody's. */
export function pcr4WithAddon(pcr4: Buffer, digest: Buffer, bank: Bank): Buffer {
  return extend(bank, pcr4, digest);
}

/** PCR 12: the command line of the one addon as the stub adds it, in UTF-16 with its end. */
export function expectedPcr12({ commandLine }: Addon, bank: Bank): Buffer {
  const measured = createHash(bank)
    .update(Buffer.from(`${commandLine}\0`, 'utf16le'))
    .digest();
  return extendAll(bank, resetValue(bank, 12, 0), [measured]);
}

function wrong(found: string) {
  return unreadable('the addon', found);
}
