// SPDX-License-Identifier: Apache-2.0
import { createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { Failure } from '../../shared/failure.ts';
import { pemBlocks } from '../../shared/pem.ts';
import { loadX509 } from '../../shared/x509.ts';
import { hostAndPort } from '../contexts/address.ts';
import type { World } from '../world.ts';
import type { AuthorityKeys } from './authority-key.ts';
import {
  type Authority,
  authorityCertificate,
  type CertificateProfile,
  issueCertificate,
  revocationList,
  type Validity,
} from './certificates.ts';
import { authorityOf, type Issued, type KeptAuthority, type Registry, signingAuthority, withAuthority } from './registry.ts';
import { newSerialNumber } from './serial-number.ts';

export type Role = 'admin' | 'operator' | 'reader' | 'monitor';

type Ground = Pick<World, 'random' | 'clock'>;

const DAY_MS = 86_400_000;
/** Clocks differ a little. */
const BACKDATED_MS = 3_600_000;
/** The authority is replaced by "pki rotate", its lists with each revocation; one that ends by itself would lock everybody out. */
const AUTHORITY_DAYS = 20 * 365;
const NODE_DAYS = 5 * 365;
const CLIENT_DAYS = 2 * 365;

function validFor(days: number, { clock }: Ground): Validity {
  return { notBefore: new Date(clock.now() - BACKDATED_MS), notAfter: new Date(clock.now() + days * DAY_MS) };
}

/** A new authority of its own key, with an empty revocation list; its name has its number, so that no two have the same. */
export async function makeAuthority(
  keys: AuthorityKeys,
  name: string,
  id: number,
  token: string | undefined,
  ground: Ground,
): Promise<KeptAuthority> {
  const fullName = `${name} ${id}`;
  const { signer, place } = await keys.make(id, fullName, token, ground.random);
  const validity = validFor(AUTHORITY_DAYS, ground);
  const certificate = await authorityCertificate(signer, fullName, validity, newSerialNumber(ground.random));
  const list = await emptyList({ certificate, signer }, ground);
  return { id, name: fullName, certificate, key: place, list, list_number: 1 };
}

/** The first revocation list of an authority. */
export function emptyList(authority: Authority, ground: Ground): Promise<string> {
  return revocationList(authority, { number: 1, revoked: [], validity: validFor(AUTHORITY_DAYS, ground) });
}

/** Whom a certificate is for. */
export type Subject =
  | { readonly kind: 'client'; readonly name: string; readonly role: Role; readonly days?: number }
  | { readonly kind: 'node'; readonly name: string; readonly address: string };

/** Issues a certificate by the authority that signs now, or by another. Returns the registry that knows it, not yet written. */
export async function issue(
  registry: Registry,
  keys: AuthorityKeys,
  subject: Subject,
  key: KeyObject,
  ground: Ground,
  by: KeptAuthority = signingAuthority(registry),
): Promise<{ readonly registry: Registry; readonly issued: Issued }> {
  const profile = { ...profileOf(subject, ground), serialNumber: newSerialNumber(ground.random) };
  const certificate = await issueCertificate(await keys.open(by), key, profile);
  const issued: Issued = {
    serial_number: profile.serialNumber,
    authority: by.id,
    name: subject.name,
    kind: subject.kind,
    ...(subject.kind === 'client' && { role: subject.role }),
    certificate,
    not_after: profile.validity.notAfter.toISOString(),
  };
  return { registry: { ...registry, issued: [...registry.issued, issued] }, issued };
}

function profileOf(subject: Subject, ground: Ground): Omit<CertificateProfile, 'serialNumber'> {
  if (subject.kind === 'client') {
    const { name: commonName, role, days = CLIENT_DAYS } = subject;
    return { commonName, organization: `lamadist:${role}`, purpose: 'client', validity: validFor(days, ground) };
  }
  const { name, address } = subject;
  const { host } = hostAndPort(address);
  return {
    commonName: name,
    organization: 'lamadist:node',
    purpose: 'node',
    // No other name, for another node may have it. The number is for who scrapes metrics: lamactl goes by the name.
    dnsNames: [name],
    ...(isIP(host) !== 0 && { ipAddresses: [host] }),
    validity: validFor(NODE_DAYS, ground),
  };
}

/** The key in a request (PKCS#10, PEM) whose signature proves that the asker has it. Throws INVALID_REQUEST. */
export async function keyOfRequest(pem: string): Promise<KeyObject> {
  const x509 = await loadX509();
  try {
    const request = new x509.Pkcs10CertificateRequest(pemBlocks(pem, 'CERTIFICATE REQUEST')[0] ?? '');
    if (!(await request.verify())) throw new Error('its signature does not verify');
    const key = createPublicKey({ key: Buffer.from(request.publicKey.rawData), format: 'der', type: 'spki' });
    if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') throw new Error('its key is not ECDSA P-256');
    return key;
  } catch (error) {
    throw new Failure('INVALID_REQUEST', `Cannot use the certificate request: ${(error as Error).message}`, {}, { cause: error });
  }
}

/** Revokes what was issued, and signs the lists anew. Returns the registry, not yet written. */
export async function revoke(
  registry: Registry,
  keys: AuthorityKeys,
  serialNumbers: ReadonlySet<string>,
  ground: Ground,
): Promise<Registry> {
  const revoked_at = new Date(ground.clock.now()).toISOString();
  const issued = registry.issued.map((each) =>
    serialNumbers.has(each.serial_number) && each.revoked_at === undefined ? { ...each, revoked_at } : each,
  );
  let next: Registry = { ...registry, issued };
  const touched = new Set(issued.filter((each, index) => each !== registry.issued[index]).map(({ authority }) => authority));
  for (const id of touched) next = withAuthority(next, await listAnew(next, keys, authorityOf(next.authorities, id), ground));
  return next;
}

async function listAnew({ issued }: Registry, keys: AuthorityKeys, kept: KeptAuthority, ground: Ground): Promise<KeptAuthority> {
  const revoked = issued.flatMap(({ authority, serial_number, revoked_at }) =>
    authority === kept.id && revoked_at !== undefined ? [{ serialNumber: serial_number, at: new Date(revoked_at) }] : [],
  );
  const number = kept.list_number + 1;
  const validity = { ...validFor(AUTHORITY_DAYS, ground), notBefore: await listTime(kept, ground) };
  return { ...kept, list_number: number, list: await revocationList(await keys.open(kept), { number, revoked, validity }) };
}

/** Backdated as certificates are, but never before the list that it takes the place of: nodes would refuse it. */
async function listTime({ list }: KeptAuthority, { clock }: Ground): Promise<Date> {
  const { X509Crl } = await loadX509();
  return new Date(Math.max(clock.now() - BACKDATED_MS, new X509Crl(list).thisUpdate.getTime()));
}

/** Whether a certificate is of that authority. */
export function isIssuedBy(pem: string, { certificate }: Pick<KeptAuthority, 'certificate'>): boolean {
  const authority = new X509Certificate(certificate);
  const issued = new X509Certificate(pem);
  return issued.checkIssued(authority) && issued.verify(authority.publicKey);
}
