// SPDX-License-Identifier: Apache-2.0
import { X509Certificate } from 'node:crypto';
import { Failure } from '../../shared/failure.ts';
import { ROLES, type Role } from './roles.ts';

/** Who calls, as the certificate of the connection says. */
export interface Caller {
  /** The subject's Common Name. */
  readonly name: string;
  readonly role: Role;
  /** SHA-256 of the certificate's DER form, hexadecimal. */
  readonly certificateSha256: string;
  readonly notAfter: Date;
}

const PREFIX = 'lamadist:';

/**
 * Reads the caller from a client certificate (DER) that TLS has verified already. The role is the subject's Organization,
 * `lamadist:<role>`; a certificate with no role or name, more than one, or a key that is not P-256 is nobody's.
 */
export function callerOf(der: Buffer): Caller {
  const certificate = new X509Certificate(der);
  const subject = parseSubject(certificate.subject);
  const [name = '', anotherName] = subject.get('CN') ?? [];
  if (certificate.publicKey.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    throw new Failure('UNAUTHENTICATED', `Cannot accept the certificate of "${name}": its key is not ECDSA P-256`);
  }
  const roles = (subject.get('O') ?? []).filter((value) => value.startsWith(PREFIX)).map((value) => value.slice(PREFIX.length));
  const role = ROLES.find((candidate) => candidate === roles[0]);
  if (name === '' || anotherName !== undefined) {
    throw new Failure('UNAUTHENTICATED', `Cannot accept the certificate of "${name}": it does not have exactly one Common Name`);
  }
  if (roles.length !== 1 || role === undefined) {
    throw new Failure('UNAUTHENTICATED', `Cannot accept the certificate of "${name}": its Organization is not one of LamaDist's roles`);
  }
  const certificateSha256 = certificate.fingerprint256.replaceAll(':', '').toLowerCase();
  return { name, role, certificateSha256, notAfter: new Date(certificate.validTo) };
}

/** Node gives a subject as one `TYPE=value` a line, and escapes what could look like another line. */
function parseSubject(subject: string): Map<string, string[]> {
  const attributes = new Map<string, string[]>();
  for (const line of subject.split('\n')) {
    const equals = line.indexOf('=');
    const type = line.slice(0, equals);
    attributes.set(type, [...(attributes.get(type) ?? []), line.slice(equals + 1)]);
  }
  return attributes;
}
