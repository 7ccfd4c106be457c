// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { extendAll, resetValue } from '../pcr-bank.ts';
import type { Bank } from '../tpm/algorithms.ts';
import { authenticodeHash } from './authenticode.ts';
import { readPe } from './pe-file.ts';
import type { Uki } from './uki.ts';

/** The phases through which a boot goes until it is up, each measured by systemd-pcrphase. */
export const BOOT_PHASES = ['enter-initrd', 'leave-initrd', 'sysinit', 'ready'] as const;

/**
 * Through which phases a boot may have gone when its services answer: they may before the last of a boot is measured, which comes
 * after remote file systems, and for a moment at its end. The image is the same in all of them.
 */
export const PHASES_IN_SERVICE = [BOOT_PHASES.slice(0, -1), BOOT_PHASES, [...BOOT_PHASES, 'shutdown']] as const;

/** What the firmware measures into PCR 4 before it starts what it boots: Platform Firmware Profile 1.06, 3.3.4.5. */
const CALLING = 'Calling EFI Application from Boot Option';
const SEPARATOR = Buffer.alloc(4);

/**
 * The values of PCR 4 that a boot of this image can lead to, straight from the firmware or by way of these loaders, such as
 * systemd-boot: without Secure Boot the firmware
 * measures the inner kernel too, for the stub has it load that; with Secure Boot the stub takes this upon itself.
 */
export function expectedPcr4(uki: Uki, bank: Bank, loaders: readonly Buffer[] = []): readonly Buffer[] {
  const image = authenticodeHash(uki.pe, bank);
  const started = loaders.map((loader) => authenticodeHash(readPe(loader), bank));
  const before = [digestOf(bank, CALLING), digestOf(bank, SEPARATOR), ...started, image];
  const kernel = authenticodeHash(readPe(uki.kernel), bank);
  return [before, [...before, kernel]].map((digests) => extendAll(bank, resetValue(bank, 4, 0), digests));
}

/** PCR 11: name and content of each section, then the phases: systemd-stub(7), systemd-pcrphase.service(8). */
export function expectedPcr11(uki: Uki, bank: Bank, phases: readonly string[] = BOOT_PHASES): Buffer {
  const ofImage = uki.measured.flatMap(({ name, content }) => [digestOf(bank, `${name}\0`), digestOf(bank, content)]);
  return extendAll(bank, resetValue(bank, 11, 0), [...ofImage, ...phases.map((phase) => digestOf(bank, phase))]);
}

function digestOf(bank: Bank, data: string | Buffer): Buffer {
  return createHash(bank).update(data).digest();
}
