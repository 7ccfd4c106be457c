// SPDX-License-Identifier: Apache-2.0
import { printable } from '../../shared/printable.ts';

/** Every reason for which evidence is rejected, and what it means. docs/ATTESTATION.md lists the same; a test compares the two. */
export const REASONS = {
  malformed: 'a part of the evidence is not as its specification says',
  'ek-changed': 'the endorsement key is not the one that was enrolled: it is another TPM, or a TPM that was cleared with a new seed',
  'ek-certificate': 'the endorsement certificate is for another key',
  'ek-not-restricted': 'the endorsement key could decrypt for anybody, or could have been made outside of a TPM',
  'ek-untrusted': 'no chain of certificates leads from the endorsement key to a root that the operator gave',
  'not-activated': 'the attestation key is not in the TPM of the endorsement key',
  'ak-changed': 'the attestation key is not the one that was enrolled; only credential activation binds a key to the TPM',
  'ak-not-restricted': 'the attestation key could sign what no TPM said, or could have been made outside of a TPM',
  signature: 'the quote is not signed by the attestation key with its own scheme',
  magic: 'what is signed was not made by a TPM',
  type: 'what is signed is no quote',
  nonce: 'the evidence answers another question: it was replayed',
  session: 'the evidence was taken over another TLS session: it was relayed',
  'extra-data': 'the quote is not for this nonce and session',
  'sha1-only': 'the evidence rests on SHA-1, which proves nothing',
  selection: 'the quote is of other PCRs or another bank than asked for',
  'unquoted-pcr': 'the PCR values are not those of the PCRs in the quote, all and only',
  digest: 'the PCR values are not those that were quoted',
  'qualified-signer': 'the attestation key is no child of the endorsement key',
  'tpm-gone': 'the node says that it has no TPM, and was enrolled with one',
  clock: "the TPM's clock or counters went back",
  'unextended-bank': 'the firmware did not measure into this bank, so that anybody could have',
  'no-action': 'an event that must not be measured carries a digest',
  'recursive-log': 'the log holds the beginning of another log',
  'startup-locality': 'the locality of the TPM start is claimed twice, late, or for nothing that exists',
  'uncovered-data': "an event's data is not what was measured",
  'log-mismatch': 'the logs do not lead to the PCR that was quoted',
  'ima-log-mismatch': 'no part of the IMA log leads to the PCR that was quoted',
  'policy-incomplete': 'the policy does not say what this PCR must be',
  'pcr-value': 'the PCR is none of the values that the policy expects',
  'event-type': 'an event of PCR 7 is called something else than its data is, and no digest covers its type',
  'secure-boot': 'Secure Boot was off, or the log does not say',
  authority: 'a certificate that the policy does not list allowed something to run, or none did',
  'tpm-firmware': "the TPM's firmware version is none that the policy lists",
  'ima-violation': 'a file was changed while it was measured',
  'ima-file': 'a file ran with a hash that the policy does not list, or IMA did not measure from the boot on',
} as const satisfies Record<string, string>;

export type Reason = keyof typeof REASONS;

export interface Rejection {
  readonly reason: Reason;
  /** What was found, beside what the reason says. */
  readonly found: string;
  readonly pcr?: number;
  /** Which entry of which log. */
  readonly event?: string;
}

/** On every verdict that is fine: the node runs the image before the one that is expected, of its other slot. */
interface Trusted {
  readonly image?: 'previous';
}

/** What is said of a node. There is no other state, and only the first two are fine. */
export type Verdict =
  | ({ readonly verdict: 'TRUSTED' } & Trusted)
  /** Trusted as far as what was believed at first use: which that is. */
  | ({ readonly verdict: 'TRUSTED (first use)'; readonly believed: readonly string[] } & Trusted)
  | ({ readonly verdict: 'REJECTED' } & Rejection)
  /** The node has no TPM, and never was enrolled with one. */
  | { readonly verdict: 'UNATTESTED'; readonly found: string }
  /** The node did not answer. */
  | { readonly verdict: 'UNKNOWN'; readonly found: string };

/** Paths and names in it come out of the node's logs: nothing of them may drive a terminal. */
export function rejected(reason: Reason, found: string, where: Pick<Rejection, 'pcr' | 'event'> = {}): Rejection {
  return {
    reason,
    found: printable(found),
    ...(where.pcr !== undefined && { pcr: where.pcr }),
    ...(where.event !== undefined && { event: printable(where.event) }),
  };
}
