// SPDX-License-Identifier: Apache-2.0
import 'reflect-metadata'; // @peculiar/x509 asks for it to be loaded first.
import { randomBytes, webcrypto, X509Certificate } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { describe, expect, it } from 'vitest';
import { beginEnrolment, type ClaimedIdentity, endEnrolment } from '../../../../agent/lamactl/attest/enrolment.ts';
import { readPublic } from '../../../../agent/lamactl/attest/tpm/public-area.ts';
import { keyObject } from '../../../../agent/lamactl/attest/tpm/signature.ts';
import { verify } from '../../../../agent/lamactl/attest/verify.ts';
import { forge, forgeKey } from '../../fakes/attest/forged-tpm.ts';

x509.cryptoProvider.set(webcrypto);

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const NOW_MS = Date.UTC(2026, 5, 1);
const { evidence } = forge();
const CLAIMED = { ekCertificate: Buffer.alloc(0), ekPublic: evidence.ek_public, akPublic: evidence.ak_public };
const NOBODY = { roots: [], intermediates: [] };

/** A manufacturer's root, and its certificate for a key. */
async function certify(area: Buffer): Promise<{ root: X509Certificate; ekCertificate: Buffer }> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const common = { notBefore: new Date('2020-01-01'), notAfter: new Date('2030-01-01'), signingAlgorithm: ALGORITHM, serialNumber: '01' };
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    ...common,
    name: 'CN=root',
    keys,
    extensions: [new x509.BasicConstraintsExtension(true)],
  });
  const spki = keyObject(readPublic(area, 'EK').key)?.export({ format: 'der', type: 'spki' }) ?? Buffer.alloc(0);
  const leaf = await x509.X509CertificateGenerator.create({
    ...common,
    subject: 'CN=EK',
    issuer: 'CN=root',
    publicKey: new x509.PublicKey(spki),
    signingKey: keys.privateKey,
    extensions: [new x509.ExtendedKeyUsageExtension(['2.23.133.8.1'])],
  });
  return { root: new X509Certificate(Buffer.from(root.rawData)), ekCertificate: Buffer.from(leaf.rawData) };
}

const begin = (claimed: Partial<ClaimedIdentity>, issuers: Parameters<typeof beginEnrolment>[1] = NOBODY) =>
  beginEnrolment({ ...CLAIMED, ...claimed }, issuers, NOW_MS, randomBytes);

describe('enrolment', () => {
  it('believes an endorsement key by its chain, where there are roots', async () => {
    const { root, ekCertificate } = await certify(evidence.ek_public);
    expect(begin({ ekCertificate }, { roots: [root], intermediates: [] })).toMatchObject({ ekTrust: 'chain' });
  });

  it('believes it at first use, where there are none', () => {
    expect(begin({})).toMatchObject({ ekTrust: 'first-use', ekName: forge().policy.ek_name, akName: forge().policy.ak_name });
  });

  it('rejects a key without a certificate, or with one that leads nowhere, where there are roots', async () => {
    const { root } = await certify(evidence.ek_public);
    const other = await certify(evidence.ek_public);
    const issuers = { roots: [root], intermediates: [] };
    expect(begin({}, issuers)).toMatchObject({ reason: 'ek-untrusted', found: 'the TPM has no endorsement certificate' });
    expect(begin({ ekCertificate: other.ekCertificate }, issuers)).toMatchObject({ reason: 'ek-untrusted' });
  });

  it('rejects a certificate for another key, with roots and without', async () => {
    const { root, ekCertificate } = await certify(forgeKey('ek').area);
    for (const roots of [[], [root]])
      expect(begin({ ekCertificate }, { roots, intermediates: [] })).toMatchObject({ reason: 'ek-certificate' });
  });

  it.each([1 << 1, 1 << 4, 1 << 5, 1 << 16, 1 << 17])('rejects an endorsement key without attribute 0x%s', (attribute) => {
    expect(begin({ ekPublic: forgeKey('ek', 0x30032 & ~attribute).area })).toMatchObject({ reason: 'ek-not-restricted' });
  });

  it('rejects an attestation key that is not restricted', () => {
    expect(begin({ akPublic: forgeKey('ak', 0x40032).area })).toMatchObject({ reason: 'ak-not-restricted' });
  });

  it('ends with the secret, and with nothing else', () => {
    const activation = begin({});
    if ('reason' in activation) throw new Error(activation.found);
    expect(endEnrolment(activation, Buffer.from(activation.secret))).toBeUndefined();
    for (const answer of [Buffer.alloc(32), activation.secret.subarray(1), Buffer.alloc(0)]) {
      expect(endEnrolment(activation, answer)).toMatchObject({ reason: 'not-activated' });
    }
  });
});

describe('evidence with an endorsement certificate', () => {
  it('is trusted when the certificate is for the endorsement key, and not when it is for another', async () => {
    const { ekCertificate } = await certify(evidence.ek_public);
    const other = await certify(forgeKey('ek').area);
    expect(verify(forge({ evidence: { ek_certificate: ekCertificate } }))).toEqual({ verdict: 'TRUSTED' });
    expect(verify(forge({ evidence: { ek_certificate: other.ekCertificate } }))).toMatchObject({ reason: 'ek-certificate' });
  });
});
