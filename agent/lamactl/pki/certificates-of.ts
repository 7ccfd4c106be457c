// SPDX-License-Identifier: Apache-2.0
import { X509Certificate } from 'node:crypto';
import { Failure } from '../../shared/failure.ts';
import { keyFingerprint } from '../../shared/fingerprint.ts';
import type { NodeTrust } from '../node/node-access.ts';
import type { Issued, Registry } from './registry.ts';

/**
 * The certificates of a holder, or the one with a serial number. What was revoked before counts as well: its list may have to reach a node
 * that was off. Throws INVALID_REQUEST where there is none, and where a name is that of several holders.
 */
export function certificatesOf({ issued }: Registry, name: string): readonly Issued[] {
  const numbered = issued.filter(({ serial_number }) => serial_number === name.toLowerCase());
  if (numbered.length > 0) return numbered;
  const found = issued.filter((each) => each.name === name);
  if (found.length === 0) {
    const why = 'it is neither a name nor a serial number of a certificate that was issued; see "lamactl pki list"';
    throw new Failure('INVALID_REQUEST', `Cannot revoke "${name}": ${why}`);
  }
  const valid = found.filter(({ revoked_at }) => revoked_at === undefined);
  if (new Set(valid.map(holder)).size > 1) {
    const told = valid.map(({ kind, serial_number, not_after }) => `${serial_number} (${kind}, until ${not_after.slice(0, 10)})`);
    throw new Failure('INVALID_REQUEST', `Cannot revoke "${name}": several have that name; say which by serial number: ${told.join(', ')}`);
  }
  return found;
}

/** The certificates that nodes of a name had which have another key: it is another node now, or its key was made anew. */
export function predecessorsOf({ issued }: Registry, name: string, fingerprint: string): readonly Issued[] {
  return issued.filter(
    (each) => each.name === name && each.kind === 'node' && each.revoked_at === undefined && keyOf(each) !== fingerprint,
  );
}

/**
 * The certificates of an authority for nodes that none of these nodes has the key of: a node that was claimed and is missing in the
 * context, or one that is gone. Whoever drops the authority locks it out.
 */
export function straysOf({ issued }: Registry, authority: number, known: readonly NodeTrust[], nowMs: number): readonly Issued[] {
  const keys = new Set(known.map(keyOf));
  return issued.filter((each) => each.kind === 'node' && each.authority === authority && isLive(each, nowMs) && !keys.has(keyOf(each)));
}

/** Whether whoever trusts its authority takes it. */
export const isLive = ({ revoked_at, not_after }: Issued, nowMs: number): boolean =>
  revoked_at === undefined && Date.parse(not_after) > nowMs;

/** A person loses all certificates of theirs together; a node that took the place of another is not that other. */
const holder = (each: Issued): string => (each.kind === 'node' ? keyOf(each) : each.kind);

/** The fingerprint of the key that a certificate (PEM) is for. */
export const keyOf = ({ certificate }: { readonly certificate: string }): string =>
  keyFingerprint(new X509Certificate(certificate).publicKey);
