// SPDX-License-Identifier: Apache-2.0

/** PCR banks that can be quoted, by their names in tpm2-tools. */
export type PcrBank = 'sha256' | 'sha384' | 'sha512';

/** The keys of a TPM, in its own bytes. */
export interface TpmIdentity {
  /** X.509 in DER; empty when the TPM has none. */
  readonly ekCertificate: Buffer;
  /** TPM2B_PUBLIC. */
  readonly ekPublic: Buffer;
  /** TPM2B_PUBLIC of a restricted signing child of the EK. */
  readonly akPublic: Buffer;
}

/** TPM2B_ID_OBJECT and TPM2B_ENCRYPTED_SECRET: TPM 2.0 Part 2, 12.4.3 and 11.4.3. */
export interface Credential {
  readonly idObject: Buffer;
  readonly encryptedSecret: Buffer;
}

export interface TpmQuote {
  /** TPMS_ATTEST. */
  readonly attest: Buffer;
  /** TPMT_SIGNATURE. */
  readonly signature: Buffer;
  /** Of PCR 0 to 15, as they were quoted. */
  readonly pcrValues: readonly Buffer[];
}

/**
 * The node's TPM. Not to be asked two things at once. All of it may fail with TPM_MISSING, TPM_LOCKED, TPM_UNAVAILABLE or, when the signal
 * comes first, DEADLINE_EXCEEDED.
 */
export interface Tpm {
  /** Makes the keys when they are not there yet. */
  identity(signal: AbortSignal): Promise<TpmIdentity>;
  /** The secret in a credential; or CREDENTIAL_REFUSED. */
  activate(credential: Credential, signal: AbortSignal): Promise<Buffer>;
  quote(bank: PcrBank, qualifyingData: Buffer, signal: AbortSignal): Promise<TpmQuote>;
}

/** What was measured into the PCRs, as it is told; a log that the node does not have is empty. */
export interface MeasurementLogs {
  readonly firmware: Buffer;
  readonly userspace: Buffer;
  readonly ima: Buffer;
}

export type ReadMeasurementLogs = () => Promise<MeasurementLogs>;
