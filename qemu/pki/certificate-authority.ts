// SPDX-License-Identifier: Apache-2.0
import { generateKeyPairSync, type KeyObject, randomBytes, X509Certificate } from 'node:crypto';
import {
  type Authority,
  authorityCertificate,
  type CertificateProfile,
  issueCertificate,
  revocationList,
  type Validity,
} from '../../agent/lamactl/pki/certificates.ts';
import { memorySigner } from '../../agent/lamactl/pki/memory-signer.ts';
import { newSerialNumber } from '../../agent/lamactl/pki/serial-number.ts';

export type { Validity };

const DAY_MS = 86_400_000;

/** From an hour ago for thirty days, unless it says otherwise. */
export type CertificateRequest = Omit<CertificateProfile, 'validity' | 'serialNumber'> & { readonly validity?: Validity };

/** A certificate and its key, as PEM texts (the key as PKCS #8). */
export interface Credentials {
  readonly certificate: string;
  readonly key: string;
  /** In hexadecimal, as a revocation list wants it. */
  readonly serialNumber: string;
}

/** A certificate authority (ECDSA P-256) that lives in memory and was made a moment ago, for tests and demonstrations. */
export class CertificateAuthority {
  #lists = 0;

  private constructor(
    private readonly authority: Authority,
    private readonly privateKey: KeyObject,
  ) {}

  static async create(commonName: string): Promise<CertificateAuthority> {
    const key = newKey();
    const signer = memorySigner(key);
    const certificate = await authorityCertificate(signer, commonName, soonValid(), newSerialNumber(randomBytes));
    return new CertificateAuthority({ signer, certificate }, key);
  }

  /** The authority's own certificate as PEM. */
  get certificate(): string {
    return this.authority.certificate;
  }

  /** The authority's key as PEM (PKCS #8). */
  get key(): string {
    return this.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  }

  /** Issues a certificate for a key made here. */
  async issue(request: CertificateRequest): Promise<Credentials> {
    const key = newKey();
    const profile = { validity: soonValid(), ...request, serialNumber: newSerialNumber(randomBytes) };
    const certificate = await issueCertificate(this.authority, memorySigner(key).publicKey, profile);
    const serialNumber = new X509Certificate(certificate).serialNumber.toLowerCase();
    return { certificate, key: key.export({ type: 'pkcs8', format: 'pem' }).toString(), serialNumber };
  }

  /** A revocation list of these serial numbers as PEM, valid for thirty days unless it says otherwise. */
  revocationList(serialNumbers: readonly string[], validity: Validity = soonValid()): Promise<string> {
    const revoked = serialNumbers.map((serialNumber) => ({ serialNumber, at: validity.notBefore }));
    return revocationList(this.authority, { number: ++this.#lists, revoked, validity });
  }
}

/** Valid since an hour ago, for thirty days. */
function soonValid(): Validity {
  return { notBefore: new Date(Date.now() - DAY_MS / 24), notAfter: new Date(Date.now() + 30 * DAY_MS) };
}

function newKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey;
}
