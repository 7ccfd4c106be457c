// SPDX-License-Identifier: Apache-2.0
import 'reflect-metadata'; // @peculiar/x509 asks for it to be loaded first.
import { webcrypto, X509Certificate } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { describe, expect, it } from 'vitest';
import { chainProblem } from '../../../../agent/lamactl/attest/ek-certificate.ts';

x509.cryptoProvider.set(webcrypto);

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const EK_USAGE = '2.23.133.8.1';
const NOW_MS = Date.UTC(2026, 5, 1);

interface Holder {
  readonly name: string;
  readonly keys: webcrypto.CryptoKeyPair;
  readonly certificate: X509Certificate;
}

interface Wish {
  readonly isCa?: boolean;
  readonly usages?: readonly string[];
  readonly notAfter?: Date;
}

async function issue(
  name: string,
  issuer?: Holder,
  { isCa = true, usages = [], notAfter = new Date('2030-01-01') }: Wish = {},
): Promise<Holder> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: '01',
    subject: `CN=${name}`,
    issuer: `CN=${issuer?.name ?? name}`,
    notBefore: new Date('2020-01-01'),
    notAfter,
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey,
    signingKey: (issuer?.keys ?? keys).privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(isCa, undefined, true),
      ...(usages.length > 0 ? [new x509.ExtendedKeyUsageExtension([...usages])] : []),
    ],
  });
  return { name, keys, certificate: new X509Certificate(Buffer.from(certificate.rawData)) };
}

const EK: Wish = { isCa: false, usages: [EK_USAGE] };
const problem = (leaf: Holder, roots: readonly Holder[], intermediates: readonly Holder[] = [], nowMs = NOW_MS) =>
  chainProblem(
    leaf.certificate.raw,
    { roots: roots.map(({ certificate }) => certificate), intermediates: intermediates.map(({ certificate }) => certificate) },
    nowMs,
  );

describe('an endorsement certificate', () => {
  it('leads to a root, at once or through others', async () => {
    const root = await issue('root');
    const between = await issue('between', root);
    expect(problem(await issue('ek', root, EK), [root])).toBeUndefined();
    expect(problem(await issue('ek', between, EK), [root], [between])).toBeUndefined();
  });

  it('does not lead to another root of the same name', async () => {
    const leaf = await issue('ek', await issue('root'), EK);
    expect(problem(leaf, [await issue('root')])).toContain('nobody who was given issued the certificate of "CN=ek"');
  });

  it('does not lead anywhere through what is given as an intermediate alone', async () => {
    const root = await issue('root');
    expect(problem(await issue('ek', root, EK), [], [root])).toBe('it has more than 6 issuers');
  });

  it('is not issued by another endorsement certificate', async () => {
    const root = await issue('root');
    const other = await issue('other', root, { isCa: false, usages: [EK_USAGE] });
    expect(problem(await issue('ek', other, EK), [root], [other])).toContain('nobody who was given issued');
  });

  it('is for an endorsement key', async () => {
    const root = await issue('root');
    expect(problem(await issue('web', root, { isCa: false, usages: ['1.3.6.1.5.5.7.3.1'] }), [root])).toBe(
      'it is not for an endorsement key',
    );
    expect(problem(await issue('any', root, { isCa: false }), [root])).toBe('it is not for an endorsement key');
  });

  it('is valid now, and so is each that leads to it', async () => {
    const root = await issue('root');
    const old = await issue('old', root, { notAfter: new Date('2021-01-01') });
    const expired = { ...EK, notAfter: new Date('2021-01-01') };
    expect(problem(await issue('ek', root, expired), [root])).toBe('the certificate of "CN=ek" is not valid now');
    expect(problem(await issue('ek', old, EK), [root], [old])).toBe('the certificate of "CN=old" is not valid now');
    expect(problem(await issue('ek', root, EK), [root], [], Date.UTC(2019, 0))).toBe('the certificate of "CN=ek" is not valid now');
    expect(problem(await issue('ek', old, EK), [old])).toBe('the root "CN=old" is not valid now');
  });

  it('is a certificate', () => {
    expect(chainProblem(Buffer.from('none'), { roots: [], intermediates: [] }, NOW_MS)).toBe('it is no X.509 certificate');
  });
});
