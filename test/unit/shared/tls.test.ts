// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import tls from 'node:tls';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { channelOptions, checkIdentity, type Identity, requireTls13 } from '../../../agent/shared/tls.ts';
import { CertificateAuthority } from '../../../qemu/pki/certificate-authority.ts';

let good: Identity;
let other: Identity;
beforeAll(async () => {
  const authority = await CertificateAuthority.create('test');
  const identity = async (commonName: string): Promise<Identity> => {
    const { certificate, key } = await authority.issue({ commonName, purpose: 'server' });
    return { ca: Buffer.from(authority.certificate), certificate: Buffer.from(certificate), key: Buffer.from(key) };
  };
  good = await identity('attic');
  other = await identity('cellar');
});

function rsaCertificate(): Buffer {
  const argv = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', '/dev/null', '-subj', '/CN=attic', '-days', '2'];
  return execFileSync('openssl', argv, { stdio: ['ignore', 'pipe', 'ignore'] });
}

describe('an identity', () => {
  it('is whole when the key is P-256 and belongs to the certificate', () => {
    expect(checkIdentity(good, 'this node').subject).toBe('CN=attic');
  });

  const junk = Buffer.from('junk');
  it.each<[string, () => Identity, string]>([
    ['no CA', () => ({ ...good, ca: junk }), 'Cannot read the CA certificate of this node: it is not valid PEM'],
    ['no certificate', () => ({ ...good, certificate: junk }), 'Cannot read the certificate of this node: it is not valid PEM'],
    ['no key', () => ({ ...good, key: junk }), 'Cannot read the private key of this node: it is not valid PEM'],
    ['an empty file', () => ({ ...good, key: Buffer.alloc(0) }), 'Cannot read the private key of this node: it is not valid PEM'],
    [
      "another's key",
      () => ({ ...good, key: other.key }),
      "Cannot use the certificate of this node: the private key is another certificate's",
    ],
    [
      'an RSA key',
      () => ({ ...good, certificate: rsaCertificate() }),
      'Cannot use the certificate of this node: its key is not ECDSA P-256',
    ],
  ])('with %s is refused, and no key is shown', (_what, identity, message) => {
    expect(() => checkIdentity(identity(), 'this node')).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID', message }));
  });
});

describe('the process', () => {
  it('speaks nothing older than TLS 1.3 once it was told so', () => {
    const before = tls.DEFAULT_MIN_VERSION;
    onTestFinished(() => void Object.assign(tls, { DEFAULT_MIN_VERSION: before }));
    requireTls13();
    expect(tls.DEFAULT_MIN_VERSION).toBe('TLSv1.3');
  });

  it('verifies a node by its name, whatever its address, and through no proxy', () => {
    expect(channelOptions('attic')).toMatchObject({ 'grpc.ssl_target_name_override': 'attic', 'grpc.enable_http_proxy': 0 });
  });
});
