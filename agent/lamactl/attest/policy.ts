// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot';
import { parseConfig } from '../../shared/config-file.ts';
import { unreadable } from './byte-reader.ts';
import { BANKS } from './tpm/algorithms.ts';

const LIMIT_VALUES = 64;
/** Firmware, option ROMs and keys: nobody can compute them from a file, so that only these may be learnt from a node. */
export const LEARNABLE_PCRS = ['0', '2', '7'];
/** Without these a node could run anything: firmware code, boot loader code, keys, and the image. */
export const REQUIRED_PCRS = [0, 2, 4, 7, 11] as const;
/** Addons and extensions: nothing, unless the policy says so. */
export const EMPTY_PCRS = [12, 13] as const;

const hex = (least: number, most: number) =>
  v.pipe(v.string(), v.regex(/^(?:[0-9a-f]{2})*$/, 'must be lower-case hexadecimal'), v.minLength(least * 2), v.maxLength(most * 2));
const pcr = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(15));
const uint32 = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(0xffffffff));

const pin = v.strictObject({
  /** Any of them will do. */
  values: v.pipe(v.array(hex(32, 64)), v.minLength(1), v.maxLength(LIMIT_VALUES)),
  /** "image": computed from a file; "operator": given by hand; "first-use": believed when it was first seen. */
  from: v.picklist(['image', 'operator', 'first-use']),
});

/** By PCR, the values that it may have. */
export const pinsSchema = v.pipe(
  v.record(v.pipe(v.string(), v.regex(/^(?:[0-9]|1[0-5])$/, 'must be a PCR from 0 to 15')), pin),
  v.check(
    (pcrs) => Object.entries(pcrs).every(([number, { from }]) => from !== 'first-use' || LEARNABLE_PCRS.includes(number)),
    `may be of first use for PCR ${LEARNABLE_PCRS.join(', ')} alone`,
  ),
);

/** What a quote counted. */
export const countersSchema = v.strictObject({
  clock: v.pipe(v.string(), v.regex(/^\d{1,20}$/, 'must be a number')),
  reset_count: uint32,
  restart_count: uint32,
});

const schema = v.strictObject({
  /** Names as the TPM computes them: nameAlg and hash, 34 bytes for SHA-256. */
  ek_name: hex(34, 66),
  ak_name: hex(34, 66),
  /** How the EK was believed: a chain to a manufacturer's root, a fingerprint that the operator compared, or at first use. */
  ek_trust: v.picklist(['chain', 'operator', 'first-use']),
  pcr_bank: v.picklist(BANKS),
  pcrs: pinsSchema,
  /** What the image before the last update made of its PCRs: allowed in the place of `pcrs`, all together, for a node that goes back. */
  previous: v.optional(pinsSchema),
  /** The node's own addon: its Authenticode hash, which PCR 4 is extended with after every image; what PCR 12 is, is in `pcrs`. */
  addon: v.optional(v.strictObject({ digest: hex(32, 64) })),
  /** PCRs of those that must be pinned, or empty, that may be anything a log explains. */
  unpinned_pcrs: v.optional(v.array(pcr), []),
  /** PCRs that no log explains: they count only when they are pinned. */
  unlogged_pcrs: v.optional(v.array(pcr), []),
  secure_boot: v.optional(v.picklist(['required', 'any']), 'required'),
  /** SHA-256 of the certificates in db that may have allowed something to run; every one when left out. */
  authorities: v.optional(v.array(hex(32, 32))),
  /** The TPM's firmwareVersion, 16 digits. */
  tpm_firmware: v.optional(v.array(hex(8, 8))),
  /** The counters of the last quote that was trusted. */
  last: v.optional(countersSchema),
  /** Hashes ("sha256:…") that files measured by IMA may have, by path; every file when left out. */
  ima_files: v.optional(v.record(v.string(), v.array(v.string()))),
});

/** What is expected of one node. */
export type Policy = v.InferOutput<typeof schema>;

/** Reads a policy from YAML or JSON. Throws CONFIG_INVALID. */
export function readPolicy(text: string, file: string): Policy {
  return parseConfig(schema, text, file);
}

/** The policy in a record, as lamactl wrote it. Throws EVIDENCE_INVALID that names the field. */
export function policyIn(value: unknown): Policy {
  const { success, output, issues } = v.safeParse(schema, value, { abortEarly: true });
  if (!success) throw unreadable('the policy', `field "${v.getDotPath(issues[0]) ?? ''}" is not as lamactl writes it`);
  return output;
}
