// SPDX-License-Identifier: Apache-2.0

/** Whom a node trusts, as PEM texts: its authorities, and the revocation list of each. */
export interface Trust {
  readonly authorities: string;
  readonly revocationLists: string;
}

export interface NodeTrust {
  readonly trust: Trust;
  /** For setTrust: what is to be replaced. */
  readonly version: string;
  /** PEM. */
  readonly certificate: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Whom a node lets in, and who it says that it is. */
export interface AccessCalls {
  trust(): Promise<NodeTrust>;
  /** Returns the new version once it is in force. */
  setTrust(trust: Trust, expectedVersion: string): Promise<string>;
  /** PKCS#10, PEM. */
  certificateRequest(): Promise<string>;
  /** PEM. */
  renewCertificate(certificate: string): Promise<void>;
  /** Takes the place of all labels before. */
  setLabels(labels: Readonly<Record<string, string>>): Promise<void>;
}

/** What a node without an administrator says of itself. */
export interface Enrolment {
  /** PKCS#10, PEM. */
  readonly certificateRequest: string;
  readonly hostname: string;
  readonly imageVersion: string;
  /** SHA-256 of the certificates of those who alone may claim it; none: anybody. */
  readonly pinnedAuthorities: readonly string[];
}

interface Claim {
  /** PEM. */
  readonly certificate: string;
  readonly trust: Trust;
  readonly labels: Readonly<Record<string, string>>;
}

export interface EnrolmentCalls {
  enrolment(): Promise<Enrolment>;
  claim(claim: Claim): Promise<void>;
}
