// SPDX-License-Identifier: Apache-2.0
import { type KeyObject, webcrypto } from 'node:crypto';
import type { JsonGeneralNames, X509CertificateCreateWithKeyParams } from '@peculiar/x509';
import { pemOf } from '../../shared/pem.ts';
import { loadX509, PURPOSES, SIGNING, type X509 } from '../../shared/x509.ts';

/** Who signs: an authority's key (P-256), wherever it is kept. */
export interface Signer {
  readonly publicKey: KeyObject;
  /** ECDSA with SHA-256 over the data: r and s, 32 bytes each (IEEE P1363). */
  sign(data: Buffer): Promise<Buffer>;
}

/** An authority that can sign: its certificate (PEM) and its key. */
export interface Authority {
  readonly certificate: string;
  readonly signer: Signer;
}

export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

export interface CertificateProfile {
  readonly commonName: string;
  /** The subject's Organization. */
  readonly organization?: string;
  /** A node is a server, and a client of other nodes. */
  readonly purpose: keyof typeof PURPOSES | 'node';
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
  readonly validity: Validity;
  /** Hexadecimal. */
  readonly serialNumber: string;
}

/** The certificate (PEM) of a new authority, signed by its own key. */
export async function authorityCertificate(signer: Signer, commonName: string, validity: Validity, serialNumber: string): Promise<string> {
  const x509 = await loadX509();
  const publicKey = await importPublic(signer.publicKey);
  const name = [{ CN: [commonName] }];
  const { keyCertSign, cRLSign } = x509.KeyUsageFlags;
  return generate(x509, signer, {
    serialNumber,
    subject: name,
    issuer: name,
    ...validity,
    publicKey,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(keyCertSign | cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
    ],
  });
}

/** A certificate (PEM) for somebody's key, which is for one purpose and signs nothing else. */
export async function issueCertificate({ certificate, signer }: Authority, key: KeyObject, profile: CertificateProfile): Promise<string> {
  const x509 = await loadX509();
  const [issuer, publicKey] = [new x509.X509Certificate(certificate), await importPublic(key)];
  const alternatives: JsonGeneralNames = [
    ...(profile.dnsNames ?? []).map((value) => ({ type: 'dns' as const, value })),
    ...(profile.ipAddresses ?? []).map((value) => ({ type: 'ip' as const, value })),
  ];
  return generate(x509, signer, {
    serialNumber: profile.serialNumber,
    subject: [{ CN: [profile.commonName] }, ...(profile.organization === undefined ? [] : [{ O: [profile.organization] }])],
    issuer: issuer.subject,
    ...profile.validity,
    publicKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension(usages(profile.purpose), true),
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
      ...(alternatives.length > 0 ? [new x509.SubjectAlternativeNameExtension(alternatives)] : []),
    ],
  });
}

function usages(purpose: CertificateProfile['purpose']): string[] {
  return purpose === 'node' ? [PURPOSES.server, PURPOSES.client] : [PURPOSES[purpose]];
}

export interface Revoked {
  readonly serialNumber: string;
  readonly at: Date;
}

/** A revocation list (RFC 5280, section 5; PEM). `number` grows with each list of the authority. */
export async function revocationList(
  { certificate, signer }: Authority,
  { number, revoked, validity }: { readonly number: number; readonly revoked: readonly Revoked[]; readonly validity: Validity },
): Promise<string> {
  const x509 = await loadX509();
  const issuer = new x509.X509Certificate(certificate);
  const list = await x509.X509CrlGenerator.create(
    {
      issuer: issuer.subject,
      thisUpdate: validity.notBefore,
      nextUpdate: validity.notAfter,
      signingAlgorithm: SIGNING,
      signingKey: handle(),
      entries: revoked.map(({ serialNumber, at }) => ({ serialNumber, revocationDate: at })),
      extensions: [
        await x509.AuthorityKeyIdentifierExtension.create(issuer),
        new x509.Extension(CRL_NUMBER, false, await derInteger(number)),
      ],
    },
    cryptoOf(signer),
  );
  // The library's own PEM is labelled "CRL"; RFC 7468, section 6, wants this label.
  return pemOf(list.rawData, 'X509 CRL');
}

/** RFC 5280, section 5.2.3. */
const CRL_NUMBER = '2.5.29.20';

async function derInteger(value: number): Promise<ArrayBuffer> {
  const { Integer } = await import('asn1js');
  return new Integer({ value }).toBER();
}

type Unsigned = Omit<X509CertificateCreateWithKeyParams, 'signingKey' | 'signingAlgorithm'>;

async function generate(x509: X509, signer: Signer, parameters: Unsigned): Promise<string> {
  const certificate = await x509.X509CertificateGenerator.create(
    { ...parameters, signingAlgorithm: SIGNING, signingKey: handle() },
    cryptoOf(signer),
  );
  return `${certificate.toString('pem')}\n`;
}

/** The library signs with a key of WebCrypto, which ours need not be: it gets a name of one, and a crypto that knows whose. */
function handle(): webcrypto.CryptoKey {
  return { type: 'private', extractable: false, algorithm: SIGNING, usages: ['sign'] };
}

function cryptoOf(signer: Signer): webcrypto.Crypto {
  const subtle = {
    sign: async (_algorithm: unknown, _key: unknown, data: ArrayBuffer) => signer.sign(Buffer.from(data)),
    exportKey: (format: 'spki', key: webcrypto.CryptoKey) => webcrypto.subtle.exportKey(format, key),
  };
  return { subtle } as unknown as webcrypto.Crypto;
}

function importPublic(key: KeyObject): Promise<webcrypto.CryptoKey> {
  return webcrypto.subtle.importKey('spki', key.export({ type: 'spki', format: 'der' }), SIGNING, true, ['verify']);
}
