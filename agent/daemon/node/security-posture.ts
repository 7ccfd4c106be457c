// SPDX-License-Identifier: Apache-2.0

/** Each with what it takes for it to be on. */
export const PROTECTIONS = ['secure-boot', 'verity-root', 'luks-data', 'selinux', 'ima', 'tpm', 'lockdown'] as const;
export type ProtectionKind = (typeof PROTECTIONS)[number];

/** What one look at a protection showed. What cannot be told is unknown, and never taken for fine. */
export interface Finding {
  readonly state: 'on' | 'off' | 'unknown';
  /** What was found, as a sentence. */
  readonly detail: string;
  /** The file that says so. */
  readonly evidence: string;
}

export interface Protection extends Finding {
  readonly kind: ProtectionKind;
}

/** Looks at every protection, in the order of PROTECTIONS. Never throws. */
export type ReadSecurityPosture = () => Promise<readonly Protection[]>;
