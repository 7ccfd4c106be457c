// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readBundleMetadata, writeBundleMetadata } from '../../../../agent/lamactl/bundle/bundle-metadata.ts';
import { signedContent } from '../../../../agent/lamactl/bundle/signed-content.ts';
import { isBundle, readSignedManifest } from '../../../../agent/lamactl/bundle/signed-manifest.ts';
import { Failure } from '../../../../agent/shared/failure.ts';
import { temporaryFolder } from '../../fakes/folder.ts';
import { Certificates } from '../certificates.ts';

const MANIFEST = '[update]\ncompatible=lamadist\nversion=2\n';

describe('the manifest that a bundle is signed with', () => {
  const certificates = new Certificates();
  const certificate = (name: string) => new X509Certificate(readFileSync(certificates.path(`${name}.pem`)));

  beforeAll(() => {
    for (const name of ['root', 'stranger']) certificates.authority(name);
    certificates.leaf('signer', 'root');
    certificates.leaf('expired', 'root', 0);
    certificates.leaf('impostor', 'stranger');
  });
  afterAll(() => certificates.remove());

  function sign(content: string, signer = 'signer', ...more: string[]): Buffer {
    const input = certificates.path('content');
    writeFileSync(input, content);
    const keys = ['-signer', certificates.path(`${signer}.pem`), '-inkey', certificates.path(`${signer}.key`)];
    return execFileSync('openssl', [
      'cms',
      '-sign',
      '-binary',
      '-nodetach',
      '-outform',
      'DER',
      '-md',
      'sha256',
      '-in',
      input,
      ...keys,
      ...more,
    ]);
  }

  const read = (cms: Buffer, root = 'root') => signedContent(cms, [certificate(root)], Date.now()).toString();

  it('is believed for a signer whom the keyring vouches for', () => {
    expect(read(sign(MANIFEST))).toBe(MANIFEST);
    expect(read(sign(MANIFEST, 'signer', '-noattr'))).toBe(MANIFEST);
  });

  it.each([
    ['a signer of another authority', () => sign(MANIFEST, 'impostor')],
    ['a signer whose certificate is over', () => sign(MANIFEST, 'expired')],
    ['a signature that is not there', () => sign(MANIFEST, 'signer', '-nocerts')],
    ['a stranger with a good certificate beside his own', () => sign(MANIFEST, 'impostor', '-certfile', certificates.path('signer.pem'))],
  ])('is not believed of %s', (_, make) => {
    expect(() => read(make())).toThrow(expect.objectContaining({ code: 'BUNDLE_UNTRUSTED' }));
  });

  it('is not believed when it was changed, with attributes or without', () => {
    for (const cms of [sign(MANIFEST), sign(MANIFEST, 'signer', '-noattr')]) {
      const at = cms.indexOf('version=2');
      cms.write('version=3', at, 'latin1');
      expect(() => read(cms)).toThrow(expect.objectContaining({ code: 'BUNDLE_UNTRUSTED' }));
    }
  });

  it('is not in a plain bundle', () => {
    const detached = execFileSync('openssl', [
      ...['cms', '-sign', '-binary', '-outform', 'DER', '-md', 'sha256', '-in', certificates.path('content')],
      ...['-signer', certificates.path('signer.pem'), '-inkey', certificates.path('signer.key')],
    ]);
    expect(() => read(detached)).toThrow('the bundle is of the format "plain"');
  });

  it('is never believed, and nothing but refused, with any byte changed or missing', () => {
    const cms = sign(MANIFEST);
    fc.assert(
      fc.property(fc.nat(cms.length - 1), fc.integer({ min: 1, max: 255 }), fc.boolean(), (at, change, cut) => {
        const damaged = Buffer.from(cut ? cms.subarray(0, at) : cms);
        if (!cut) damaged[at] = (damaged[at] ?? 0) ^ change;
        try {
          // What is left of the certificates and of their order is not signed, and says nothing.
          expect(read(damaged)).toBe(MANIFEST);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(Failure);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('is found at the end of a bundle', async () => {
    const cms = sign(MANIFEST);
    const size = Buffer.alloc(8);
    size.writeBigUInt64BE(BigInt(cms.length));
    const file = join(await temporaryFolder(), 'bundle');
    writeFileSync(file, Buffer.concat([Buffer.from('hsqs and the rest'), cms, size]));
    expect(isBundle(readFileSync(file))).toBe(true);
    expect(await readSignedManifest(file, [certificate('root')], Date.now())).toBe(MANIFEST);
    writeFileSync(file, Buffer.concat([Buffer.from('hsqs'), Buffer.alloc(8, 255)]));
    await expect(readSignedManifest(file, [certificate('root')], Date.now())).rejects.toMatchObject({ code: 'BUNDLE_INVALID' });
  });
});

describe('what a manifest says of PCRs', () => {
  const pins = {
    '4': { from: 'image' as const, values: ['aa'.repeat(32), 'bb'.repeat(32)] },
    '11': { from: 'image' as const, values: ['cc'.repeat(32)] },
  };
  const text = `${MANIFEST}${writeBundleMetadata([['sha256', pins]])}`;

  it('is read as it was written', () => {
    expect(readBundleMetadata(text, 'sha256')).toEqual(pins);
    expect(readBundleMetadata(text, 'sha384')).toEqual({});
  });

  it('is nothing where there is no such section, or another one has it', () => {
    expect(readBundleMetadata(MANIFEST, 'sha256')).toEqual({});
    expect(readBundleMetadata(text.replace('[meta.lamadist]', '[meta.other]'), 'sha256')).toEqual({});
    expect(readBundleMetadata(`[meta.lamadist]\n[meta.other]\npcr-4-sha256=${'aa'.repeat(32)}\n`, 'sha256')).toEqual({});
  });
});
