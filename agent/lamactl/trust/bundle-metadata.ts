// SPDX-License-Identifier: Apache-2.0
import type { Bank } from '../attest/tpm/algorithms.ts';
import type { Pins } from './pins.ts';

/** The section of a RAUC manifest that RAUC itself passes over, and its signature covers: RAUC's manual, "[meta.<label>] sections". */
const SECTION = 'meta.lamadist';

/** What an image makes of its PCRs, as text of a manifest: `pcr-11-sha256=…`, alternatives separated by spaces. */
export function writeBundleMetadata(pinsByBank: readonly (readonly [Bank, Pins])[]): string {
  const lines = pinsByBank.flatMap(([bank, pins]) =>
    Object.entries(pins).map(([pcr, { values }]) => `pcr-${pcr}-${bank}=${values.join(' ')}`),
  );
  return `\n[${SECTION}]\n${lines.join('\n')}\n`;
}
