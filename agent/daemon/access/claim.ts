// SPDX-License-Identifier: Apache-2.0
import { type KeyObject, X509Certificate } from 'node:crypto';
import * as v from 'valibot';
import { Failure } from '../../shared/failure.ts';
import { keyFingerprint } from '../../shared/fingerprint.ts';
import { Labels } from '../../shared/labels.ts';
import type { AccessFiles, Claim } from './access-files.ts';
import { Authorities } from './authorities.ts';

export interface ClaimRules {
  /** The node's own key. */
  readonly key: KeyObject;
  /** SHA-256 of the authorities that alone may claim the node; none: whoever comes first. */
  readonly pinned: ReadonlySet<string>;
  readonly nowMs: () => number;
}

/** Gives a node its administrator, once. */
export class Claiming {
  #state: 'unclaimed' | 'busy' | 'claimed' = 'unclaimed';

  constructor(
    private readonly files: AccessFiles,
    private readonly rules: ClaimRules,
  ) {}

  /** Resolves when the claim is on the disk. Fails with ALREADY_CLAIMED, CLAIM_REFUSED, INVALID_REQUEST or JOURNAL_UNWRITABLE. */
  async claim(claim: Claim): Promise<void> {
    if (this.#state === 'claimed') throw alreadyClaimed();
    if (this.#state === 'busy') throw new Failure('TOO_MANY_CALLS', 'Cannot claim this node: another claim is being looked at');
    this.#state = 'busy';
    try {
      const { trust } = await this.#check(claim);
      await this.files.writeClaim({ ...claim, trust });
      this.#state = 'claimed';
    } finally {
      if (this.#state === 'busy') this.#state = 'unclaimed';
    }
  }

  async #check({ certificate, trust, labels }: Claim): Promise<Authorities> {
    const { key, pinned, nowMs } = this.rules;
    const authorities = await Authorities.read(trust, nowMs());
    // Whoever lacks the pinned authority's key could not have signed ours: the certificate is the proof.
    if (pinned.size > 0 && ![...authorities.fingerprints].every((fingerprint) => pinned.has(fingerprint))) {
      throw new Failure('CLAIM_REFUSED', 'Cannot claim this node: its kernel command line pins another authority than yours');
    }
    const problem = ownCertificateProblem(certificate, key, authorities, nowMs());
    if (problem) throw new Failure('INVALID_REQUEST', `Cannot claim this node with this certificate: ${problem}`);
    if (!v.is(Labels, labels))
      throw new Failure('INVALID_REQUEST', 'Cannot claim this node: the labels are not well-formed', { field: 'labels' });
    return authorities;
  }
}

/** Why a certificate (PEM) is none for this node, undefined when it is. */
export function ownCertificateProblem(pem: string, key: KeyObject, authorities: Authorities, nowMs: number): string | undefined {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pem);
  } catch {
    return 'it is not valid PEM';
  }
  if (keyFingerprint(certificate.publicKey) !== keyFingerprint(key)) return "it is for another key than this node's";
  return authorities.problemOf(certificate, 'server', nowMs);
}

export function alreadyClaimed(): Failure {
  return new Failure('ALREADY_CLAIMED', 'Cannot claim this node: it has an administrator');
}
