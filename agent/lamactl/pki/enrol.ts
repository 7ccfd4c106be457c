// SPDX-License-Identifier: Apache-2.0
import { X509Certificate } from 'node:crypto';
import { Failure } from '../../shared/failure.ts';
import { certificateFingerprint, keyFingerprint, shownFingerprint } from '../../shared/fingerprint.ts';
import { keepNode } from '../contexts/context-edit.ts';
import type { Enrolment, EnrolmentCalls } from '../node/node-access.ts';
import type { Stranger } from '../node/stranger.ts';
import { issueRecorded } from './issue-recorded.ts';
import { isIssuedBy, keyOfRequest } from './issuing.ts';
import type { Office } from './office.ts';
import { type KeptAuthority, type Registry, trusted, trustOf } from './registry.ts';

export interface Newcomer {
  readonly name: string;
  /** `host:port`. */
  readonly address: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** What showed itself at an address, as far as its certificate says. */
export type Met =
  | { readonly type: 'unclaimed'; readonly fingerprint: string }
  /** By one of our own authorities: an enrolment that was interrupted, or a node that is only missing in the context file. */
  | { readonly type: 'ours' }
  | { readonly type: 'foreign'; readonly issuer: string };

export function judge({ certificate }: Stranger, authorities: readonly Pick<KeptAuthority, 'certificate'>[]): Met {
  if (authorities.some((authority) => isIssuedBy(certificate.toString(), authority))) return { type: 'ours' };
  if (certificate.checkIssued(certificate) && certificate.verify(certificate.publicKey)) {
    return { type: 'unclaimed', fingerprint: keyFingerprint(certificate.publicKey) };
  }
  return { type: 'foreign', issuer: certificate.issuer.replaceAll('\n', ', ') };
}

/**
 * Signs the key of a node that was compared, and gives the node its administrator. The key in its request must be the one that was
 * compared: whoever stood between would have to show another. Throws NODE_UNTRUSTED, CLAIM_REFUSED and what calls fail with.
 */
export async function claimNode(office: Office, stranger: Stranger, node: EnrolmentCalls, newcomer: Newcomer): Promise<void> {
  const enrolment = await node.enrolment();
  refuseOtherPins(enrolment, await office.registry.read());
  const key = await keyOfRequest(enrolment.certificateRequest);
  if (!key.equals(stranger.certificate.publicKey)) {
    throw new Failure(
      'NODE_UNTRUSTED',
      `Cannot enroll ${newcomer.name}: it asks for a certificate for another key than ${shownFingerprint(keyFingerprint(stranger.certificate.publicKey))}`,
    );
  }
  const { certificate } = await issueRecorded(office, { kind: 'node', name: newcomer.name, address: newcomer.address }, key);
  const { authorities } = await office.registry.read();
  await node.claim({ certificate, trust: trustOf(authorities), labels: newcomer.labels });
}

/** Told before the passphrase of a key is asked for; the node itself would refuse. */
function refuseOtherPins({ pinnedAuthorities }: Enrolment, { authorities }: Registry): void {
  // The node takes on whom it pins alone, and in a rotation it would have to take on two.
  const ours = trusted(authorities).map(({ certificate }) => certificateFingerprint(new X509Certificate(certificate)));
  if (pinnedAuthorities.length === 0 || ours.every((each) => pinnedAuthorities.includes(each))) return;
  throw new Failure(
    'CLAIM_REFUSED',
    `Cannot claim this node: its kernel command line pins ${pinnedAuthorities.join(', ')}, and you have ${ours.join(' and, for a rotation goes on, ')}`,
  );
}

/** lamactl knows the node from now on. */
export function remember({ contextFile, context }: Office, { name, address, labels }: Newcomer): Promise<void> {
  return keepNode(contextFile, context, name, { address, labels });
}
