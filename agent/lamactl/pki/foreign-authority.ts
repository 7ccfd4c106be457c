// SPDX-License-Identifier: Apache-2.0
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { Failure } from '../../shared/failure.ts';
import { pemBlocks } from '../../shared/pem.ts';
import { loadX509, PURPOSES } from '../../shared/x509.ts';
import type { Issued } from './registry.ts';

/** An authority that something else than lamactl made, as its files say. */
export interface ForeignAuthority {
  readonly certificate: string;
  readonly name: string;
  /** Its successors have greater ones, so that no two have the same name. */
  readonly id: number;
}

/** Its newest revocation list, and what is revoked. */
export interface ForeignList {
  readonly list: string;
  readonly number: number;
  readonly revoked: readonly { readonly serialNumber: string; readonly at: string }[];
}

/** RFC 5280, section 5.2.3. */
const CRL_NUMBER = '2.5.29.20';
const MOST_DIGITS = 6;

/** Reads the certificate of an authority that nodes would take for one. Throws INVALID_REQUEST. */
export function readAuthority(text: string, nowMs: number): ForeignAuthority {
  const [certificate, ...more] = pemBlocks(text, 'CERTIFICATE');
  if (certificate === undefined || more.length > 0)
    throw unfit(`the file holds ${more.length + (certificate ? 1 : 0)} certificates, not one`);
  const parsed = parse(certificate);
  const found = problemOf(parsed, nowMs);
  if (found !== undefined) throw unfit(found);
  const name = fieldOf(parsed, 'CN') ?? parsed.subject.replaceAll('\n', ', ');
  const counted = new RegExp(` (\\d{1,${MOST_DIGITS}})$`).exec(name)?.[1];
  return { certificate, name, id: Math.max(1, Number(counted ?? 1)) };
}

function problemOf(certificate: X509Certificate, nowMs: number): string | undefined {
  if (!certificate.ca) return 'the certificate is not an authority’s';
  if (!certificate.checkIssued(certificate) || !certificate.verify(certificate.publicKey)) {
    return 'another authority issued its certificate, and nodes trust roots alone';
  }
  if (certificate.publicKey.asymmetricKeyDetails?.namedCurve !== 'prime256v1') return 'its key is not ECDSA P-256';
  return Date.parse(certificate.validTo) <= nowMs ? `its certificate was valid until ${certificate.validTo}` : undefined;
}

/** The authority's key, which must not be locked. Throws INVALID_REQUEST. */
export function readKey(text: string, { certificate, name }: ForeignAuthority): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(text);
  } catch (error) {
    const found = /ENCRYPTED/.test(text) ? 'it is locked with a passphrase; "openssl pkey" writes one that is not' : 'it is no key in PEM';
    throw new Failure('INVALID_REQUEST', `Cannot read the key of "${name}": ${found}`, {}, { cause: error });
  }
  if (new X509Certificate(certificate).checkPrivateKey(key)) return key;
  throw unfit('the key is not that of its certificate');
}

/** What the authority issued before, to a client or a node, as the registry writes it. Throws INVALID_REQUEST. */
export function readIssued(pem: string, file: string, { certificate, id, name }: ForeignAuthority): Issued {
  const authority = new X509Certificate(certificate);
  const issued = parse(pem);
  if (!issued.checkIssued(authority) || !issued.verify(authority.publicKey))
    throw unfit(`"${name}" did not issue the certificate in ${file}`);
  // A node is a client, too: of other nodes.
  const isClient = issued.keyUsage?.includes(PURPOSES.client) === true && fieldOf(issued, 'O') !== 'lamadist:node';
  const role = /^lamadist:(admin|operator|reader|monitor)$/.exec(fieldOf(issued, 'O') ?? '')?.[1];
  if (isClient && role === undefined) throw unfit(`the certificate in ${file} gives its holder no role`);
  return {
    serial_number: issued.serialNumber.toLowerCase(),
    authority: id,
    name: fieldOf(issued, 'CN') ?? issued.serialNumber.toLowerCase(),
    kind: isClient ? 'client' : 'node',
    ...(isClient && role !== undefined && { role }),
    certificate: pem,
    not_after: new Date(issued.validTo).toISOString(),
  };
}

/** A revocation list that the authority signed. Throws INVALID_REQUEST. */
export async function readList(text: string, { certificate, name }: ForeignAuthority): Promise<ForeignList> {
  const x509 = await loadX509();
  const [list = ''] = pemBlocks(text, 'X509 CRL');
  const issuer = new x509.X509Certificate(certificate);
  try {
    const parsed = new x509.X509Crl(list);
    if (parsed.issuer !== issuer.subject || !(await parsed.verify({ publicKey: issuer }))) throw new Error('its signature does not verify');
    const value = Buffer.from(parsed.getExtension(CRL_NUMBER)?.value ?? new ArrayBuffer(0)).subarray(2);
    const revoked = parsed.entries.map(({ serialNumber, revocationDate }) => {
      return { serialNumber: serialNumber.toLowerCase(), at: (revocationDate ?? parsed.thisUpdate).toISOString() };
    });
    return { list, number: value.length > 0 ? Number.parseInt(value.toString('hex'), 16) : 1, revoked };
  } catch (error) {
    throw new Failure('INVALID_REQUEST', `Cannot use the revocation list of "${name}": ${(error as Error).message}`, {}, { cause: error });
  }
}

function parse(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (error) {
    throw new Failure('INVALID_REQUEST', 'Cannot read a certificate: it is no PEM', {}, { cause: error });
  }
}

/** The only value of a field of the subject. */
function fieldOf({ subject }: X509Certificate, field: 'CN' | 'O'): string | undefined {
  const values = (subject ?? '').split('\n').filter((line) => line.startsWith(`${field}=`));
  return values.length === 1 ? values[0]?.slice(field.length + 1) : undefined;
}

function unfit(found: string): Failure {
  return new Failure('INVALID_REQUEST', `Cannot import the authority: ${found}`);
}
