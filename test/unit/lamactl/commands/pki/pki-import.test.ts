// SPDX-License-Identifier: Apache-2.0
import { X509Certificate } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pemBlocks } from '../../../../../agent/shared/pem.ts';
import { loadX509 } from '../../../../../agent/shared/x509.ts';
import { CertificateAuthority } from '../../../../../qemu/pki/certificate-authority.ts';
import { temporaryFolder } from '../../../fakes/folder.ts';
import { Certificates } from '../../certificates.ts';
import { FakeWorld } from '../../fake-world.ts';

const PASSPHRASE = 'correct horse';
const BOB = { commonName: 'bob', organization: 'lamadist:reader', purpose: 'client' } as const;

/** An administrator with the files of an authority that something else made, and a context that uses it. */
async function scene({ withContext = true } = {}) {
  const folder = await temporaryFolder();
  const certificates = new Certificates();
  const world = new FakeWorld({}, certificates);
  certificates.remove();
  world.env.LAMACTL_CONFIG = join(folder, 'config.yaml');
  const file = (name: string) => join(folder, name);
  const authority = await CertificateAuthority.create('cellar CA 3');
  const [admin, bob] = [await authority.issue({ ...BOB, commonName: 'alice', organization: 'lamadist:admin' }), await authority.issue(BOB)];
  const files = {
    'made.pem': authority.certificate,
    'made.key': authority.key,
    'made.crl': await authority.revocationList(['1234']),
    'alice.pem': admin.certificate,
    'alice.key': admin.key,
    'bob.pem': bob.certificate,
  };
  for (const [name, text] of Object.entries(files)) await writeFile(file(name), text, { mode: 0o600 });
  const context = 'contexts:\n  home: { ca: made.pem, certificate: alice.pem, key: alice.key, nodes: {} }\n';
  if (withContext) await writeFile(file('config.yaml'), context);
  const run = (...args: readonly string[]) => {
    world.said.push(PASSPHRASE, PASSPHRASE);
    return world.run(['pki', 'import', '--certificate', file('made.pem'), '--key', file('made.key'), ...args]);
  };
  return { world, file, authority, run };
}

describe('lamactl pki import', () => {
  it('keeps an authority with its key encrypted, and knows what it issued and revoked', async () => {
    const { world, file, run } = await scene();
    expect(await run('--crl', file('made.crl'), '--issued', file('bob.pem')), world.stderr.text).toBe(0);
    expect(await readFile(file('pki/home/authority-3.key'), 'utf8')).toMatch(/^-----BEGIN ENCRYPTED PRIVATE KEY-----/);
    expect(await readFile(file('config.yaml'), 'utf8')).toContain('ca: pki/home/ca.pem');
    world.stdout.text = '';
    expect(await world.run('pki list -o json')).toBe(0);
    expect(world.json()).toMatchObject({
      authorities: [{ name: 'cellar CA 3', state: 'trusted', signing: true }],
      certificates: [
        { name: 'alice', role: 'admin', state: 'valid' },
        { name: 'bob', role: 'reader', state: 'valid' },
        { serialNumber: '1234', state: 'revoked' },
      ],
    });
  });

  it('revokes by its key from then on, and what was revoked before stays so, for lamactl too', async () => {
    const { world, file, run } = await scene();
    await run('--crl', file('made.crl'), '--issued', file('bob.pem'));
    world.said.splice(0, 9, PASSPHRASE);
    expect(await world.run('pki revoke bob'), world.stderr.text).toBe(0);
    const [list = ''] = pemBlocks(await readFile(file('pki/home/ca.pem'), 'utf8'), 'X509 CRL');
    const { X509Crl } = await loadX509();
    const bob = new X509Certificate(await readFile(file('bob.pem'))).serialNumber.toLowerCase();
    expect(new X509Crl(list).entries.map(({ serialNumber }) => serialNumber).sort()).toEqual(['1234', bob].sort());
  });

  it('lets "pki init" make the context where there is none', async () => {
    const { world, file, run } = await scene({ withContext: false });
    expect(await run(), world.stderr.text).toBe(0);
    expect(world.stdout.text).toContain('lamactl pki init');
    world.said.splice(0, 9, PASSPHRASE);
    expect(await world.run('pki init --admin carol'), world.stderr.text).toBe(0);
    const own = new X509Certificate(await readFile(file('pki/home/carol.pem')));
    expect(own.verify(new X509Certificate(await readFile(file('made.pem'))).publicKey)).toBe(true);
  });

  it.each([
    [
      'the key of another',
      'made.key',
      async () => (await CertificateAuthority.create('other')).key,
      'the key is not that of its certificate',
    ],
    [
      'what is no authority',
      'made.pem',
      async () => (await (await CertificateAuthority.create('x')).issue(BOB)).certificate,
      'not an authority',
    ],
    ['a file without a certificate', 'made.pem', async () => 'nothing', 'holds 0 certificates'],
    ['an authority that did not issue what the context uses', 'alice.pem', undefined, 'did not issue the certificate'],
  ])('refuses %s, and leaves everything as it was', async (_, name, other, found) => {
    const { world, file, run } = await scene();
    if (other) await writeFile(file(name), await other());
    else {
      const stranger = await CertificateAuthority.create('stranger');
      const { certificate, key } = await stranger.issue({ ...BOB, organization: 'lamadist:admin' });
      await writeFile(file('alice.pem'), certificate);
      await writeFile(file('alice.key'), key);
    }
    expect(await run()).toBe(2);
    expect(world.stderr.text).toContain(found);
    expect(await world.run('pki list')).toBe(3);
  });

  it('refuses a revocation list of another authority, a key that nobody named, and a second authority', async () => {
    const { world, file, run } = await scene();
    await writeFile(file('other.crl'), await (await CertificateAuthority.create('other')).revocationList([]));
    expect(await run('--crl', file('other.crl'))).toBe(2);
    expect(world.stderr.text).toContain('its signature does not verify');
    expect(await world.run(['pki', 'import', '--certificate', file('made.pem')])).toBe(2);
    world.said.splice(0);
    expect(await run(), world.stderr.text).toBe(0);
    expect(await run()).toBe(2);
    expect(world.stderr.text).toContain('has one already');
  });
});
