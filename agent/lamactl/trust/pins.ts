// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../shared/failure.ts';
import type { Evidence } from '../attest/evidence.ts';
import { expectedPcr4, expectedPcr11, PHASES_IN_SERVICE } from '../attest/image/expected-pcrs.ts';
import type { Uki } from '../attest/image/uki.ts';
import { LEARNABLE_PCRS, type Policy } from '../attest/policy.ts';
import type { Bank } from '../attest/tpm/algorithms.ts';

export type Pins = Policy['pcrs'];

/** What an image makes of PCR 4 and 11: of the UKIs that it is in, one for each slot, whichever boots. */
export function pinsOfImage(ukis: readonly Uki[], bank: Bank, loaders: readonly Buffer[] = []): Pins {
  const pin = (values: readonly Buffer[]) => ({
    from: 'image' as const,
    values: [...new Set(values.map((value) => value.toString('hex')))],
  });
  return {
    '4': pin(ukis.flatMap((uki) => expectedPcr4(uki, bank, loaders))),
    '11': pin(ukis.flatMap((uki) => PHASES_IN_SERVICE.map((phases) => expectedPcr11(uki, bank, phases)))),
  };
}

/** What evidence, which was found true, says of the PCRs that nobody can compute: believed because it is seen for the first time. */
export function pinsOfFirstUse({ pcr_values }: Evidence): Pins {
  return Object.fromEntries(
    LEARNABLE_PCRS.map((pcr) => [pcr, { from: 'first-use' as const, values: [pcr_values[pcr]?.toString('hex') ?? ''] }]),
  );
}

/** Those of them that are not pinned to the same already: what an operator compared stays what an operator compared. */
export function newPins(before: Pins, learnt: Pins): Pins {
  return Object.fromEntries(
    Object.entries(learnt).filter(([pcr, { values }]) => !values.every((value) => before[pcr]?.values.includes(value))),
  );
}

/** Throws INVALID_REQUEST when a PCR is pinned to something else already. */
export function requireNew(node: string, before: Pins, learnt: Pins): void {
  const other = Object.entries(newPins(before, learnt)).find(([pcr]) => before[pcr]);
  if (!other) return;
  const [pcr, { values }] = other;
  throw new Failure(
    'INVALID_REQUEST',
    `Cannot learn from ${node}: PCR ${pcr} is ${values.join(', ')}, and pinned to ${before[pcr]?.values.join(', ')}; once you know why, repeat with --replace`,
    { node, pcr },
  );
}

/** The pins with these in the place of those before; or, to allow both, beside them. */
export function withPins(before: Pins, learnt: Pins, beside: boolean): Pins {
  const merged: Pins = { ...before };
  for (const [pcr, { from, values }] of Object.entries(learnt)) {
    const kept = beside ? (before[pcr]?.values ?? []) : [];
    merged[pcr] = { from, values: [...new Set([...kept, ...values])] };
  }
  return merged;
}
