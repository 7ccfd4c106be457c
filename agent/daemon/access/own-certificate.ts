// SPDX-License-Identifier: Apache-2.0
import { createPublicKey, type KeyObject, webcrypto } from 'node:crypto';
import { loadX509, PURPOSES, SIGNING } from '../../shared/x509.ts';

/** RFC 5280, section 4.1.2.5: for a node whose clock nobody has set yet, and a certificate that is compared and not dated. */
const ALWAYS = { notBefore: new Date('1970-01-01T00:00:00Z'), notAfter: new Date('9999-12-31T23:59:59Z') };

/** Who a node is before somebody names it. */
const UNCLAIMED = 'CN=unclaimed';

/** The certificate (PEM) that a node without an administrator shows: its key says all that there is to say. */
export async function selfSignedCertificate(key: KeyObject): Promise<string> {
  const x509 = await loadX509();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: '01',
    name: UNCLAIMED,
    ...ALWAYS,
    signingAlgorithm: SIGNING,
    keys: await keyPair(key),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.ExtendedKeyUsageExtension([PURPOSES.server], true),
      new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: 'unclaimed' }]),
    ],
  });
  return `${certificate.toString('pem')}\n`;
}

/** A request (PKCS#10, PEM) that proves to whoever signs it that the key is here. */
export async function certificateRequest(key: KeyObject): Promise<string> {
  const x509 = await loadX509();
  const keys = await keyPair(key);
  return `${(await x509.Pkcs10CertificateRequestGenerator.create({ name: UNCLAIMED, keys, signingAlgorithm: SIGNING })).toString('pem')}\n`;
}

async function keyPair(key: KeyObject): Promise<webcrypto.CryptoKeyPair> {
  const { subtle } = webcrypto;
  const privateKey = await subtle.importKey('pkcs8', key.export({ type: 'pkcs8', format: 'der' }), SIGNING, false, ['sign']);
  const spki = createPublicKey(key).export({ type: 'spki', format: 'der' });
  return { privateKey, publicKey: await subtle.importKey('spki', spki, SIGNING, true, ['verify']) };
}
