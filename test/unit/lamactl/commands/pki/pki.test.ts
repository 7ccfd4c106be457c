// SPDX-License-Identifier: Apache-2.0
import { createPublicKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { chmod, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { certificateRequest, selfSignedCertificate } from '../../../../../agent/daemon/access/own-certificate.ts';
import type { Connect, Target } from '../../../../../agent/lamactl/node/node.ts';
import type { UnclaimedNode } from '../../../../../agent/lamactl/node/unclaimed-node.ts';
import { Failure } from '../../../../../agent/shared/failure.ts';
import { keyFingerprint, shownFingerprint } from '../../../../../agent/shared/fingerprint.ts';
import { temporaryFolder } from '../../../fakes/folder.ts';
import { Certificates } from '../../certificates.ts';
import { FakeNode } from '../../fake-node.ts';
import { FakeWorld } from '../../fake-world.ts';

const PASSPHRASE = 'correct horse';

/** An administrator at a terminal who has nothing yet. */
async function beginner() {
  const folder = await temporaryFolder();
  const attic = new FakeNode();
  const certificates = new Certificates();
  const world = new FakeWorld({ attic }, certificates);
  certificates.remove();
  world.env.LAMACTL_CONFIG = join(folder, 'config.yaml');
  const file = (name: string) => join(folder, name);
  const init = async () => {
    world.said.push(PASSPHRASE, PASSPHRASE);
    expect(await world.run('pki init --admin alice')).toBe(0);
    world.stdout.text = '';
  };
  return { world, attic, file, init };
}

const unreachable: Connect = async ({ name }) => {
  throw new Failure('NODE_UNREACHABLE', `Cannot reach ${name}: nothing listens there`);
};

const newKey = (): KeyObject => generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey;

/** A node without an administrator at 10.0.0.5, which asks for a certificate for `asksFor`. */
async function standsThere(world: FakeWorld, asksFor?: KeyObject) {
  const key = newKey();
  const claims: unknown[] = [];
  const certificate = new X509Certificate(await selfSignedCertificate(key));
  world.meet = async (address) => ({ address, certificate });
  const noTpm = async (): Promise<never> => {
    throw new Failure('TPM_MISSING', 'Cannot use the TPM: there is none');
  };
  const node: UnclaimedNode = {
    enrolment: async () => ({
      certificateRequest: await certificateRequest(asksFor ?? key),
      hostname: 'attic',
      imageVersion: '1',
      pinnedAuthorities: [],
    }),
    claim: async (claim) => void claims.push(claim),
    tpmKeys: noTpm,
    activate: noTpm,
    quote: noTpm,
    close: () => {},
  };
  world.connectUnclaimed = async () => node;
  return { claims, key, fingerprint: shownFingerprint(keyFingerprint(createPublicKey(key))) };
}

describe('lamactl pki', () => {
  it('makes an authority whose key is encrypted, a certificate of one’s own, and a context', async () => {
    const { world, file, init } = await beginner();
    await init();
    expect(world.questions).toEqual(['New passphrase of "home 1": ', 'The same again: ']);
    expect(await readFile(file('pki/home/authority-1.key'), 'utf8')).toMatch(/^-----BEGIN ENCRYPTED PRIVATE KEY-----/);
    for (const secret of ['authority-1.key', 'alice.key', 'registry.json'])
      expect((await stat(file(`pki/home/${secret}`))).mode & 0o777).toBe(0o600);
    const own = new X509Certificate(await readFile(file('pki/home/alice.pem')));
    expect(own.subject).toBe('CN=alice\nO=lamadist:admin');
    expect(await world.run('pki init')).toBe(2);
    expect(world.stderr.text).toContain('context "home" has an authority already');
    expect(await world.run('status')).toBe(2);
    expect(world.stderr.text).toContain('add one with "lamactl enroll"');
  });

  it('takes no passphrase that is short, mistyped, or given by nobody', async () => {
    for (const said of [['short', 'short'], [PASSPHRASE, 'correct hose'], []]) {
      const { world } = await beginner();
      world.said.push(...said);
      expect(await world.run('pki init')).toBe(2);
      expect(world.stderr.text).toMatch(/Cannot (?:take the|ask for a) passphrase/);
    }
  });

  it('issues certificates with a role, for a request too, and lists them', async () => {
    const { world, file, init } = await beginner();
    await init();
    world.said.push(PASSPHRASE, 'wrong');
    expect(await world.run(['pki', 'issue', 'bob', '--role', 'reader', '--folder', file('bob')])).toBe(0);
    expect(new X509Certificate(await readFile(file('bob/bob.pem'))).subject).toContain('O=lamadist:reader');
    expect(await world.run(['pki', 'issue', 'eve', '--role', 'reader', '--folder', file('eve')])).toBe(3);
    expect(world.stderr.text).toContain('the passphrase is another');
    world.stdout.text = '';
    expect(await world.run('pki list -o json')).toBe(0);
    expect(world.json()).toMatchObject({
      authorities: [{ name: 'home 1', state: 'trusted', signing: true }],
      certificates: [
        { name: 'alice', role: 'admin', state: 'valid' },
        { name: 'bob', role: 'reader' },
      ],
    });
  });
});

describe('lamactl pki issue', () => {
  it('writes over nothing that the context goes by', async () => {
    const { world, file, init } = await beginner();
    await init();
    const before = await Promise.all(['ca', 'alice'].map((name) => readFile(file(`pki/home/${name}.pem`), 'utf8')));
    for (const name of ['alice', 'bob']) {
      world.said.push(PASSPHRASE);
      expect(await world.run(['pki', 'issue', name, '--role', 'reader', '--folder', file('pki/home/')])).toBe(2);
    }
    expect(world.stderr.text).toContain('context "home" goes by the file of that name');
    expect(await Promise.all(['ca', 'alice'].map((name) => readFile(file(`pki/home/${name}.pem`), 'utf8')))).toEqual(before);
  });

  it.each(['ca', 'bob'])('writes over no %s.pem of somebody else, but over what it wrote itself', async (name) => {
    const { world, file, init } = await beginner();
    await init();
    const issue = async () => {
      world.said.push(PASSPHRASE);
      return world.run(['pki', 'issue', 'bob', '--role', 'reader', '--folder', file('bob')]);
    };
    expect([await issue(), await issue()]).toEqual([0, 0]);
    await writeFile(file(`bob/${name}.pem`), await selfSignedCertificate(newKey()));
    expect(await issue()).toBe(2);
    expect(world.stderr.text).toContain(`${name}.pem: it is there, and has no certificate of your authority`);
  });
});

describe('names and secrets', () => {
  it.each(['ca', 'CA', 'authority-1'])('of an administrator are not "%s", which is an authority’s file', async (name) => {
    const { world, file, init } = await beginner();
    expect(await world.run(`pki init --admin ${name}`)).toBe(2);
    await init();
    expect(await world.run(['pki', 'issue', name, '--role', 'reader', '--folder', file('pki/home')])).toBe(2);
  });

  it('of a context lead nowhere else', async () => {
    const { world, file } = await beginner();
    world.said.push(PASSPHRASE, PASSPHRASE);
    expect(await world.run(['pki', 'init', '--context', 'a/../../z'])).toBe(2);
    expect(world.questions).toEqual([]);
    await expect(stat(file('z'))).rejects.toThrow('ENOENT');
  });

  it('are not taken from a file that others may read', async () => {
    const { world, file } = await beginner();
    await writeFile(file('passphrase'), `${PASSPHRASE}\n`, { mode: 0o644 });
    expect(await world.run(['pki', 'init', '--passphrase-file', file('passphrase')])).toBe(3);
    expect(world.stderr.text).toContain('its mode 0644 opens it to others');
    await chmod(file('passphrase'), 0o600);
    expect(await world.run(['pki', 'init', '--passphrase-file', file('passphrase')])).toBe(0);
  });

  it('of a key that is no key are told', async () => {
    const { world, file, init } = await beginner();
    await init();
    await writeFile(file('bob.key'), 'junk');
    expect(await world.run(['pki', 'issue', 'bob', '--role', 'reader', '--folder', file('')])).toBe(3);
    expect(world.stderr.text).toContain('bob.key: it is there, and no key that can be read');
  });
});

describe('lamactl pki revoke', () => {
  it('asks which certificate is meant where several holders have one name', async () => {
    const { world, file, init } = await beginner();
    await init();
    world.said.push(PASSPHRASE);
    expect(await world.run(['pki', 'issue', 'attic', '--role', 'monitor', '--folder', file('bob')])).toBe(0);
    await standsThere(world);
    world.said.push('yes', PASSPHRASE);
    expect(await world.run('enroll 10.0.0.5 --name attic')).toBe(15);
    expect(await world.run('pki revoke attic')).toBe(2);
    expect(world.stderr.text).toMatch(/several have that name; say which by serial number: [0-9a-f]{32} \(client.*[0-9a-f]{32} \(node/);
  });

  it('leaves a node alone that took another’s place, whose certificate enroll names', async () => {
    const { world, init } = await beginner();
    await init();
    await standsThere(world);
    world.said.push('yes', PASSPHRASE);
    await world.run('enroll 10.0.0.5 --name attic');
    await standsThere(world);
    world.said.push('yes', PASSPHRASE);
    world.stdout.text = '';
    expect(await world.run('enroll 10.0.0.5 --name attic --replace -o json')).toBe(15);
    const { before } = world.json<{ before: string[] }>();
    expect(before).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/)]);
    expect(await world.run('pki revoke attic')).toBe(2);
    world.said.push(PASSPHRASE);
    world.stdout.text = '';
    await world.run(`pki revoke ${before[0]} -o json`);
    expect(world.json()).toMatchObject({ revoked: [{ name: 'attic', serialNumber: before[0] }] });
  });
});

describe('lamactl pki rotate', () => {
  it('locks no node out that was claimed and did not get into the context', async () => {
    const { world, attic, init } = await beginner();
    await init();
    const { claims, key } = await standsThere(world);
    const { connect } = world;
    world.connect = unreachable;
    world.said.push('yes', PASSPHRASE);
    expect(await world.run('enroll 10.0.0.5 --name attic')).toBe(4);
    world.stdout.text = '';
    world.said.push(PASSPHRASE, PASSPHRASE);
    expect(await world.run('pki rotate -o json')).toBe(12);
    const { stage, strays } = world.json<{ stage: string; strays: { name: string; serialNumber: string }[] }>();
    expect([stage, strays]).toEqual(['trusting', [{ name: 'attic', serialNumber: expect.stringMatching(/^[0-9a-f]{32}$/) }]]);
    expect(world.stderr.text).toContain(`"home 1" stays trusted`);

    world.connect = connect;
    const { certificate } = claims[0] as { certificate: string };
    attic.trust = { ...attic.trust, certificate };
    world.meet = async (address) => ({ address, certificate: new X509Certificate(certificate) });
    expect(await world.run('enroll 10.0.0.5 --name attic')).toBe(15);
    attic.answers.certificateRequest = async () => certificateRequest(key);
    world.said.push(PASSPHRASE);
    world.stdout.text = '';
    expect(await world.run('pki rotate -o json'), world.stderr.text).toBe(0);
    expect(world.json()).toMatchObject({ stage: 'finished', strays: [] });
  });

  it('issues the administrator’s own certificate once, however often it goes on', async () => {
    const { world, attic, init } = await beginner();
    await init();
    const { claims } = await standsThere(world);
    world.said.push('yes', PASSPHRASE);
    await world.run('enroll 10.0.0.5 --name attic');
    attic.trust = { ...attic.trust, certificate: (claims[0] as { certificate: string }).certificate };
    const { connect } = world;
    const isOld = ({ identity }: Target) => new X509Certificate(identity.certificate).issuer === 'CN=home 1';
    world.connect = async (target, options) => (isOld(target) ? connect : unreachable)(target, options);
    world.said.push(PASSPHRASE, PASSPHRASE);
    for (let run = 0; run < 3; run += 1) {
      expect(await world.run('pki rotate')).toBe(4);
      world.said.push(PASSPHRASE);
    }
    world.stdout.text = '';
    await world.run('pki list -o json');
    const { certificates } = world.json<{ certificates: { name: string }[] }>();
    expect(certificates.filter(({ name }) => name === 'alice')).toHaveLength(2);
  });

  it('does without the certificate of a node that is gone once it is revoked', async () => {
    const { world, init } = await beginner();
    await init();
    await standsThere(world);
    world.connect = unreachable;
    world.said.push('yes', PASSPHRASE);
    await world.run('enroll 10.0.0.5 --name attic');
    world.said.push(PASSPHRASE, PASSPHRASE);
    expect(await world.run('pki rotate')).toBe(12);
    expect(world.stderr.text).toMatch(/[0-9a-f]{32} {2}attic/);
    world.said.push(PASSPHRASE);
    expect(await world.run('pki revoke attic')).toBe(0);
    world.said.push(PASSPHRASE);
    expect(await world.run('pki rotate')).toBe(0);
  });
});

describe('lamactl enroll', () => {
  it('shows the fingerprint, asks, signs the key, and remembers the node with its labels', async () => {
    const { world, file, init } = await beginner();
    await init();
    const { claims, fingerprint } = await standsThere(world);
    world.said.push('yes', PASSPHRASE);
    expect(await world.run('enroll 10.0.0.5 --name attic --label site=loft')).toBe(15);
    expect(world.stderr.text).toContain(fingerprint);
    expect(claims).toMatchObject([{ labels: { site: 'loft' }, certificate: expect.stringContaining('BEGIN CERTIFICATE') }]);
    expect(world.stdout.text).toContain('UNATTESTED');
    expect(await readFile(file('config.yaml'), 'utf8')).toContain('attic: { address: 10.0.0.5:7443, labels: { site: loft } }');
  });

  it('signs one name, whatever name the address has, for that may be another node’s', async () => {
    const { world, init } = await beginner();
    await init();
    const { claims } = await standsThere(world);
    world.said.push('yes', PASSPHRASE);
    expect(await world.run('enroll loft.lan --name attic')).toBe(15);
    expect(new X509Certificate((claims[0] as { certificate: string }).certificate).subjectAltName).toBe('DNS:attic');
  });

  it.each([['no'], ['']])('signs nothing when the answer is "%s"', async (answer) => {
    const { world, init } = await beginner();
    await init();
    const { claims } = await standsThere(world);
    world.said.push(answer, PASSPHRASE);
    expect(await world.run('enroll 10.0.0.5 --name attic')).toBe(5);
    expect([claims, world.said]).toEqual([[], [PASSPHRASE]]);
  });

  it('signs no other key than the one that was compared', async () => {
    const { world, init } = await beginner();
    await init();
    const { claims } = await standsThere(world, newKey());
    world.said.push('yes', PASSPHRASE);
    expect(await world.run('enroll 10.0.0.5 --name attic')).toBe(5);
    expect(world.stderr.text).toContain('it asks for a certificate for another key');
    expect(claims).toEqual([]);
  });

  it('goes by the name that it gave, and no more by the one of an entry before', async () => {
    const { world, file, init } = await beginner();
    await init();
    const text = await readFile(file('config.yaml'), 'utf8');
    await writeFile(file('config.yaml'), text.replace('nodes: {}', 'nodes: { attic: { address: 10.0.0.9, name: attic.lan } }'), {
      mode: 0o600,
    });
    await standsThere(world);
    world.said.push('yes', PASSPHRASE);
    expect(await world.run('enroll 10.0.0.5 --name attic --replace')).toBe(15);
    expect(await readFile(file('config.yaml'), 'utf8')).toContain('attic: { address: 10.0.0.5:7443 }');
  });

  it('holds a node that is there already against what is said of it', async () => {
    const { world, init } = await beginner();
    await init();
    const { claims, fingerprint } = await standsThere(world);
    world.said.push('yes', PASSPHRASE);
    await world.run('enroll 10.0.0.5 --name attic');
    const certificate = new X509Certificate((claims[0] as { certificate: string }).certificate);
    world.meet = async (address) => ({ address, certificate });
    expect(await world.run(['enroll', '10.0.0.5', '--name', 'attic', '--fingerprint', fingerprint])).toBe(15);
    expect(await world.run(['enroll', '10.0.0.5', '--name', 'attic', '--fingerprint', '00'.repeat(32)])).toBe(5);
    expect(world.stderr.text).toContain('not the one that you gave');
    expect(await world.run('enroll 10.0.0.5 --name shed')).toBe(7);
    expect(world.stderr.text).toContain('is yours already, as CN=attic');
  });

  it.each([
    ['a label without a key', '--label =x'],
    ['a label with two signs', '--label a=b=c'],
    ['a name for two', '--name a,b'],
    ['a name that is an address', '--name 10.0.0.7'],
    ['a short fingerprint', '--fingerprint abc'],
  ])('refuses %s', async (_, words) => {
    const { world, init } = await beginner();
    await init();
    expect(await world.run(`enroll 10.0.0.5 --name attic ${words}`)).toBe(2);
  });
});

describe('lamactl discover', () => {
  it('knows one’s own nodes on a machine that has the context alone', async () => {
    const { world, file, init } = await beginner();
    await init();
    const { claims } = await standsThere(world);
    world.said.push('yes', PASSPHRASE);
    await world.run('enroll 10.0.0.5 --name attic');
    const certificate = new X509Certificate((claims[0] as { certificate: string }).certificate);
    world.meet = async (address) => ({ address, certificate });
    await rm(file('pki/home/registry.json'));
    world.stdout.text = '';
    expect(await world.run('discover 10.0.0.5/32 -o json')).toBe(0);
    expect(world.json()).toMatchObject({ nodes: [{ state: 'yours', who: 'attic' }] });
  });
});
