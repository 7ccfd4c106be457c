// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot';
import { Failure } from '../../shared/failure.ts';
import { pinsSchema } from '../attest/policy.ts';
import { type Bank, digestBytes } from '../attest/tpm/algorithms.ts';
import type { Pins } from '../trust/pins.ts';

/** The section of a RAUC manifest that RAUC itself passes over, and its signature covers: RAUC's manual, "[meta.<label>] sections". */
const SECTION = '[meta.lamadist]';

/** What an image makes of its PCRs, as text of a manifest: `pcr-11-sha256=…`, alternatives separated by spaces. */
export function writeBundleMetadata(pinsByBank: readonly (readonly [Bank, Pins])[]): string {
  const lines = pinsByBank.flatMap(([bank, pins]) =>
    Object.entries(pins).map(([pcr, { values }]) => `pcr-${pcr}-${bank}=${values.join(' ')}`),
  );
  return `\n${SECTION}\n${lines.join('\n')}\n`;
}

const LINE = /^pcr-(\d+)-(sha\d{3})=([0-9a-f ]+)$/;
/** What an image determines: what the firmware starts, and what it consists of. */
const IMAGE_PCRS = ['4', '11'];

/** The same, read from a manifest; empty when it says nothing of this bank. Throws BUNDLE_INVALID. */
export function readBundleMetadata(manifest: string, bank: Bank): Pins {
  const lines = manifest.split('\n').map((line) => line.trim());
  const start = lines.indexOf(SECTION);
  const rest = start < 0 ? [] : lines.slice(start + 1);
  const end = rest.findIndex((line) => line.startsWith('['));
  const pins: Pins = {};
  for (const line of end < 0 ? rest : rest.slice(0, end)) {
    const [, pcr = '', of, values = ''] = LINE.exec(line) ?? [];
    if (of !== bank) continue;
    const pin = { from: 'image' as const, values: values.trim().split(' ') };
    const isGood = IMAGE_PCRS.includes(pcr) && pin.values.every(({ length }) => length === 2 * digestBytes(bank));
    if (!isGood || !v.is(pinsSchema, { [pcr]: pin })) {
      throw new Failure(
        'BUNDLE_INVALID',
        `Cannot read ${SECTION} of the bundle: pcr-${pcr}-${bank} has no values that PCR 4 or 11 can have`,
      );
    }
    pins[pcr] = pin;
  }
  return pins;
}
