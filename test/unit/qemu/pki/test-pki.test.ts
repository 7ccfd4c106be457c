// SPDX-License-Identifier: Apache-2.0
import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { TestPki } from '../../../../qemu/pki/test-pki.ts';

describe('the test PKI', () => {
  it('gives a node a certificate for its name and its address', async () => {
    const pki = await TestPki.create();
    const certificate = new X509Certificate((await pki.node('node-1', '127.0.1.2')).certificate);
    expect(certificate.checkHost('node-1')).toBe('node-1');
    expect(certificate.checkIP('127.0.1.2')).toBe('127.0.1.2');
    expect(certificate.checkIssued(new X509Certificate(pki.agentAuthority.certificate))).toBe(true);
    expect(certificate.publicKey.asymmetricKeyDetails?.namedCurve).toBe('prime256v1');
  });

  it('names the role of a client as the Organization of its certificate', async () => {
    const pki = await TestPki.create();
    const { certificate } = await pki.client('operator');
    expect(new X509Certificate(certificate).subject).toContain('O=lamadist:operator');
  });

  it('can give a client a certificate that has expired', async () => {
    const pki = await TestPki.create();
    const { certificate } = await pki.expiredClient('reader');
    expect(Date.parse(new X509Certificate(certificate).validTo)).toBeLessThan(Date.now());
  });

  it('does not vouch for another installation', async () => {
    const [ours, theirs] = [await TestPki.create(), await TestPki.create()];
    const certificate = new X509Certificate((await theirs.client('admin')).certificate);
    expect(certificate.verify(new X509Certificate(ours.agentAuthority.certificate).publicKey)).toBe(false);
  });
});
