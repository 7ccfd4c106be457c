// SPDX-License-Identifier: Apache-2.0
import { webcrypto, X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Authorities } from '../../../../agent/daemon/access/authorities.ts';
import { loadX509, SIGNING } from '../../../../agent/shared/x509.ts';
import { authorityNamed, NOW_MS, VALID } from './access-node.ts';

const home = await authorityNamed('home 1');
const next = await authorityNamed('home 2');
const LATER_MS = VALID.notAfter.getTime() + 1;

const read = (authorities: string, revocationLists = '', nowMs = NOW_MS) => Authorities.read({ authorities, revocationLists }, nowMs);
const serialOf = (pem: string) => new X509Certificate(pem).serialNumber;

/** The certificate of an authority that another authority issued. */
async function intermediate(): Promise<string> {
  const x509 = await loadX509();
  const [root, own] = await Promise.all([0, 1].map(() => webcrypto.subtle.generateKey(SIGNING, true, ['sign', 'verify'])));
  const certificate = await x509.X509CertificateGenerator.create({
    subject: 'CN=home 3',
    issuer: 'CN=root',
    ...VALID,
    publicKey: own!.publicKey,
    signingKey: root!.privateKey,
    signingAlgorithm: SIGNING,
    extensions: [new x509.BasicConstraintsExtension(true, 0, true)],
  });
  return certificate.toString('pem');
}

const UNSOUND = [
  ['no authority', '', ''],
  ['more authorities than four', home.certificate.repeat(5), ''],
  ['two authorities of one name', home.certificate + (await authorityNamed('home 1')).certificate, ''],
  ['a certificate that is no authority', await home.issue('attic', 'server'), ''],
  ['what is no certificate', home.certificate.replace(/[A-M]/g, 'B'), ''],
  ['an authority that another authority issued', await intermediate(), ''],
  ['a list of one authority and none of the other', home.certificate + next.certificate, await home.list()],
  ['a list that another signed', home.certificate, await next.list()],
  ['a list that another of the same name signed', home.certificate, await (await authorityNamed('home 1')).list()],
  ['a list that is out of date', home.certificate, await home.list([], { notBefore: VALID.notBefore, notAfter: new Date(NOW_MS - 1) })],
  ['a list of a time to come', home.certificate, await home.list([], { notBefore: new Date(NOW_MS + 10_000), notAfter: VALID.notAfter })],
] as const;

describe('a trust', () => {
  it.each(UNSOUND)('with %s is not taken', async (_, authorities, lists) => {
    await expect(read(authorities, lists)).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
  });

  it('with an authority that expired, or of a time to come, is not taken', async () => {
    await expect(read(home.certificate, '', LATER_MS)).rejects.toMatchObject({ message: expect.stringContaining('was valid until') });
    await expect(read(home.certificate, '', 0)).rejects.toMatchObject({
      message: expect.stringContaining('the clock of the node says 1970'),
    });
  });

  it('is what was looked at, and holds no authority that OpenSSL would find besides', async () => {
    const hidden = ['TRUSTED CERTIFICATE', 'X509 CERTIFICATE'].map((label) => next.certificate.replaceAll('CERTIFICATE', label));
    const lists = await home.list();
    const { trust } = await read(`a remark\n${home.certificate}${hidden.join('')}`, `${lists}another`);
    expect(trust).toEqual({ authorities: home.certificate, revocationLists: lists });
  });

  it('takes the certificates of all its authorities, for their purpose alone', async () => {
    const both = await read(home.certificate + next.certificate, (await home.list()) + (await next.list()));
    const [ours, theirs] = [await home.issue('admin', 'client'), await next.issue('attic', 'server')];
    expect(both.problemOf(new X509Certificate(ours), 'client', NOW_MS)).toBeUndefined();
    expect(both.problemOf(new X509Certificate(theirs), 'server', NOW_MS)).toBeUndefined();
    expect(both.problemOf(new X509Certificate(theirs), 'client', NOW_MS)).toBe('it is not for a client');
    expect(both.problemOf(new X509Certificate(ours), 'client', LATER_MS)).toContain('was valid until');
  });

  it('takes none of others, and none that is revoked', async () => {
    const certificate = await home.issue('admin', 'client');
    const only = await read(home.certificate, await home.list([serialOf(certificate)]));
    expect(only.problemOf(new X509Certificate(certificate), 'client', NOW_MS)).toBe('it is revoked');
    expect(only.problemOf(new X509Certificate(await next.issue('admin', 'client')), 'client', NOW_MS)).toBe(
      'none of the authorities issued it',
    );
    const impostor = await (await authorityNamed('home 1')).issue('admin', 'client');
    expect(only.problemOf(new X509Certificate(impostor), 'client', NOW_MS)).toBe('none of the authorities issued it');
  });
});
