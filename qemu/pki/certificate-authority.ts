// SPDX-License-Identifier: Apache-2.0
import 'reflect-metadata'; // @peculiar/x509 asks for it to be loaded first.
import { randomBytes, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

x509.cryptoProvider.set(webcrypto);

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;
const KEY_USAGE = x509.KeyUsageFlags;

/** The extended key usages that are issued here (RFC 5280, section 4.2.1.12; code signing is RAUC's check-purpose). */
const PURPOSES = {
  server: '1.3.6.1.5.5.7.3.1',
  client: '1.3.6.1.5.5.7.3.2',
  'code-signing': '1.3.6.1.5.5.7.3.3',
} as const;

export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

export interface CertificateRequest {
  readonly commonName: string;
  /** The subject's Organization. */
  readonly organization?: string;
  readonly purpose: keyof typeof PURPOSES;
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
  /** From an hour ago for thirty days, unless it says otherwise. */
  readonly validity?: Validity;
}

/** A certificate and its key, as PEM texts (the key as PKCS #8). */
export interface Credentials {
  readonly certificate: string;
  readonly key: string;
  /** In hexadecimal, as a revocation list wants it. */
  readonly serialNumber: string;
}

/** A certificate authority (ECDSA P-256) that lives in memory and was made a moment ago, for tests and demonstrations. */
export class CertificateAuthority {
  private constructor(
    private readonly root: x509.X509Certificate,
    private readonly keys: webcrypto.CryptoKeyPair,
  ) {}

  static async create(commonName: string): Promise<CertificateAuthority> {
    const keys = await generateKeys();
    const root = await x509.X509CertificateGenerator.createSelfSigned({
      serialNumber: newSerialNumber(),
      name: [{ CN: [commonName] }],
      ...soonValid(),
      signingAlgorithm: ALGORITHM,
      keys,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(KEY_USAGE.keyCertSign | KEY_USAGE.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    });
    return new CertificateAuthority(root, keys);
  }

  /** The authority's own certificate as PEM. */
  get certificate(): string {
    return `${this.root.toString('pem')}\n`;
  }

  /** Issues a certificate for a key made here. */
  async issue(request: CertificateRequest): Promise<Credentials> {
    const keys = await generateKeys();
    const certificate = await this.certify(keys.publicKey, request);
    const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
    return {
      certificate: `${certificate.toString('pem')}\n`,
      key: `${x509.PemConverter.encode(pkcs8, 'PRIVATE KEY')}\n`,
      serialNumber: certificate.serialNumber,
    };
  }

  private async certify(publicKey: webcrypto.CryptoKey, request: CertificateRequest): Promise<x509.X509Certificate> {
    const alternatives: x509.JsonGeneralNames = [
      ...(request.dnsNames ?? []).map((value) => ({ type: 'dns' as const, value })),
      ...(request.ipAddresses ?? []).map((value) => ({ type: 'ip' as const, value })),
    ];
    const extensions: x509.Extension[] = [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(KEY_USAGE.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([PURPOSES[request.purpose]], true),
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(this.root),
    ];
    if (alternatives.length > 0) extensions.push(new x509.SubjectAlternativeNameExtension(alternatives));
    return x509.X509CertificateGenerator.create({
      serialNumber: newSerialNumber(),
      subject: [{ CN: [request.commonName] }, ...(request.organization ? [{ O: [request.organization] }] : [])],
      issuer: this.root.subject,
      ...(request.validity ?? soonValid()),
      signingAlgorithm: ALGORITHM,
      publicKey,
      signingKey: this.keys.privateKey,
      extensions,
    });
  }

  /** A revocation list (RFC 5280, section 5) of these serial numbers as PEM, valid for thirty days unless it says otherwise. */
  async revocationList(serialNumbers: readonly string[], validity: Validity = soonValid()): Promise<string> {
    const list = await x509.X509CrlGenerator.create({
      issuer: this.root.subject,
      thisUpdate: validity.notBefore,
      nextUpdate: validity.notAfter,
      signingAlgorithm: ALGORITHM,
      signingKey: this.keys.privateKey,
      entries: serialNumbers.map((serialNumber) => ({ serialNumber, revocationDate: validity.notBefore })),
      extensions: [await x509.AuthorityKeyIdentifierExtension.create(this.root)],
    });
    // The library's own PEM is labelled "CRL"; RFC 7468, section 6, wants this label.
    return `${x509.PemConverter.encode(list.rawData, 'X509 CRL')}\n`;
  }
}

/** Valid since an hour ago, for thirty days. */
function soonValid(): Validity {
  return { notBefore: new Date(Date.now() - DAY_MS / 24), notAfter: new Date(Date.now() + 30 * DAY_MS) };
}

/** Positive and of 16 octets at most (RFC 5280 allows 20). */
function newSerialNumber(): string {
  const octets = randomBytes(16);
  octets[0] = (octets[0]! & 0x7f) | 0x40;
  return octets.toString('hex');
}

async function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}
