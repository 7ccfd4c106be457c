// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { qualifyingData } from '../../../shared/qualifying-data.ts';
import { QUOTED_PCRS } from '../challenge.ts';
import { algorithmOf, digestBytes, strongHash } from '../tpm/algorithms.ts';
import { GENERATED_BY_TPM, QUOTE_TYPE } from '../tpm/attest.ts';
import { qualifiedName } from '../tpm/name.ts';
import { isSignedBy } from '../tpm/signature.ts';
import { rejected } from '../verdict.ts';
import { type Check, type QuoteFacts, quoted, quotedPcr } from './facts.ts';

const isSigned: Check<QuoteFacts> = ({ ak, signature, evidence }) =>
  isSignedBy(ak, signature, evidence.attest) ? undefined : rejected('signature', 'it does not verify');

/** Without it a key that signs anything could sign what looks like a quote (CVE-2024-29038). */
const isMadeByTpm: Check<QuoteFacts> = ({ attest: { magic } }) =>
  magic === GENERATED_BY_TPM ? undefined : rejected('magic', `it begins with 0x${magic.toString(16)}`);

const isQuote: Check<QuoteFacts> = ({ attest: { type } }) =>
  type === QUOTE_TYPE ? undefined : rejected('type', `its type is 0x${type.toString(16)}`);

const answersNonce: Check<QuoteFacts> = ({ evidence, challenge }) =>
  evidence.nonce.equals(challenge.nonce) ? undefined : rejected('nonce', `it is for nonce ${evidence.nonce.toString('hex')}`);

const isOfSession: Check<QuoteFacts> = ({ evidence, challenge }) => {
  const sides = [
    ['server', evidence.server_certificate_sha256, challenge.serverCertificateSha256],
    ['client', evidence.client_certificate_sha256, challenge.clientCertificateSha256],
  ] as const;
  const other = sides.find(([, claimed, actual]) => !claimed.equals(actual));
  return other && rejected('session', `its ${other[0]} certificate has SHA-256 ${other[1].toString('hex')}`);
};

const isForNonceAndSession: Check<QuoteFacts> = ({ attest, challenge }) =>
  attest.extraData.equals(qualifyingData(challenge)) ? undefined : rejected('extra-data', `it is ${attest.extraData.toString('hex')}`);

const bankIsStrong: Check<QuoteFacts> = ({ evidence }) =>
  evidence.pcr_bank === 'sha1' ? rejected('sha1-only', 'the PCR values are of bank sha1') : undefined;

/** The selection in the quote, not one beside it: else values of one PCR pass for those of another (CVE-2024-29039). */
const selectionIsAsAsked: Check<QuoteFacts> = (facts) => {
  const { evidence, challenge } = facts;
  const found = quoted(facts).selections.map(({ algorithm, pcrs }) => `0x${algorithm.toString(16)}:${pcrs.join(',')}`);
  const asked = `0x${algorithmOf(challenge.bank).toString(16)}:${QUOTED_PCRS.join(',')}`;
  if (evidence.pcr_bank === challenge.bank && found.length === 1 && found[0] === asked) return undefined;
  return rejected('selection', `${found.join('+') || 'nothing'} was quoted for bank ${evidence.pcr_bank}, and ${asked} asked for`);
};

/** Values beside those that were quoted would be believed with them (CVE-2022-0317). */
const valuesAreOfQuotedPcrs: Check<QuoteFacts> = ({ evidence, challenge }) => {
  const found = Object.keys(evidence.pcr_values).map(Number);
  const surplus = found.find((pcr) => !QUOTED_PCRS.includes(pcr));
  if (surplus !== undefined) return rejected('unquoted-pcr', `there is a value of PCR ${surplus}`, { pcr: surplus });
  const missing = QUOTED_PCRS.find((pcr) => evidence.pcr_values[String(pcr)]?.length !== digestBytes(challenge.bank));
  return missing === undefined ? undefined : rejected('unquoted-pcr', `there is no whole value of PCR ${missing}`, { pcr: missing });
};

/** TPM2_Quote hashes with the hash of the signature: TPM 2.0 Part 3, 18.4. */
const digestIsOfValues: Check<QuoteFacts> = (facts) => {
  const hash = strongHash(facts.signature.hash);
  const values = Buffer.concat(QUOTED_PCRS.map((pcr) => quotedPcr(facts, pcr)));
  const digest = hash && createHash(hash).update(values).digest();
  return digest?.equals(quoted(facts).digest) ? undefined : rejected('digest', `the values hash to ${digest?.toString('hex')}`);
};

const signerIsChildOfEk: Check<QuoteFacts> = ({ attest, ek, ak }) => {
  const expected = qualifiedName(ek, ak);
  if (attest.qualifiedSigner.equals(expected)) return undefined;
  return rejected('qualified-signer', `the signer is ${attest.qualifiedSigner.toString('hex')}, not ${expected.toString('hex')}`);
};

/** Resets count up, restarts within a reset, and the clock within both: TPM 2.0 Part 1, 36. */
const clockGoesOn: Check<QuoteFacts> = ({ attest: { clockInfo }, policy: { last } }) => {
  if (!last) return undefined;
  const { resetCount, restartCount, clock } = clockInfo;
  const sameReset = resetCount === last.reset_count;
  const wentBack =
    resetCount < last.reset_count ||
    (sameReset && restartCount < last.restart_count) ||
    (sameReset && restartCount === last.restart_count && clock < BigInt(last.clock));
  if (!wentBack) return undefined;
  const was = `${last.reset_count}, ${last.restart_count} and ${last.clock}`;
  return rejected('clock', `resets, restarts and clock are ${resetCount}, ${restartCount} and ${clock}; they were ${was}`);
};

/** Whether the TPM of the enrolled keys said this now, to us, of the PCRs that were asked for. */
export const QUOTE_CHECKS: readonly Check<QuoteFacts>[] = [
  isSigned,
  isMadeByTpm,
  isQuote,
  answersNonce,
  isOfSession,
  isForNonceAndSession,
  bankIsStrong,
  selectionIsAsAsked,
  valuesAreOfQuotedPcrs,
  digestIsOfValues,
  signerIsChildOfEk,
  clockGoesOn,
];
