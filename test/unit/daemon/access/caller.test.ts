// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { callerOf } from '../../../../agent/daemon/access/caller.ts';
import { ROLES } from '../../../../agent/daemon/access/roles.ts';

const P256 = ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];

/** A certificate (DER) with this subject, as openssl writes it. */
function certificate(subject: string, key: readonly string[] = P256): Buffer {
  const argv = ['req', '-x509', '-newkey', ...key, '-nodes', '-keyout', '/dev/null', '-utf8', '-subj', subject, '-days', '2'];
  return execFileSync('openssl', [...argv, '-outform', 'DER'], { stdio: ['ignore', 'pipe', 'ignore'] });
}

describe('the caller', () => {
  it.each(ROLES)('is %s when the Organization says so', (role) => {
    const der = certificate(`/O=lamadist:${role}/CN=alice`);
    const certificateSha256 = createHash('sha256').update(der).digest('hex');
    expect(callerOf(der)).toMatchObject({ name: 'alice', role, certificateSha256 });
  });

  it('may belong to other organizations as well', () => {
    expect(callerOf(certificate('/C=NL/O=Home/OU=attic/O=lamadist:reader/CN=Åsa'))).toMatchObject({ name: 'Åsa', role: 'reader' });
  });

  it('has a certificate that ends when it says', () => {
    const { notAfter } = callerOf(certificate('/O=lamadist:reader/CN=alice'));
    expect(Math.abs(notAfter.getTime() - Date.now() - 2 * 86_400_000)).toBeLessThan(60_000);
  });

  it.each([
    ['no Organization', '/CN=alice'],
    ['no role in it', '/O=Home/CN=alice'],
    ['an unknown role', '/O=lamadist:root/CN=alice'],
    ['an empty role', '/O=lamadist:/CN=alice'],
    ['a role in other letters', '/O=lamadist:Admin/CN=alice'],
    ['a role and a space', '/O=lamadist:admin /CN=alice'],
    ['a role within a longer text', '/O=not lamadist:admin/CN=alice'],
    ['more than one role', '/O=lamadist:reader/O=lamadist:admin/CN=alice'],
    ['the same role twice', '/O=lamadist:admin/O=lamadist:admin/CN=alice'],
    ['a role, and one that is none', '/O=lamadist:admin/O=lamadist:/CN=alice'],
    ['the role in another field', '/OU=lamadist:admin/CN=alice'],
    ['no name', '/O=lamadist:admin'],
    ['two names', '/O=lamadist:admin/CN=alice/CN=bob'],
    ['the role in the name', '/CN=O=lamadist:admin'],
    ['the role on another line of the name', '/CN=alice\nO=lamadist:admin'],
    ['name and role as one attribute', '/CN=alice+O=lamadist:admin'],
    ['a role that names an object of the language', '/O=lamadist:constructor/CN=alice'],
  ])('is nobody with %s', (_what, subject) => {
    expect(() => callerOf(certificate(subject))).toThrow(expect.objectContaining({ code: 'UNAUTHENTICATED' }));
  });

  it.each([
    ['RSA', ['rsa:2048']],
    ['P-384', ['ec', '-pkeyopt', 'ec_paramgen_curve:P-384']],
    ['Ed25519', ['ed25519']],
  ])('is nobody with a key of %s', (_what, key) => {
    const message = 'Cannot accept the certificate of "alice": its key is not ECDSA P-256';
    expect(() => callerOf(certificate('/O=lamadist:admin/CN=alice', key))).toThrow(message);
  });
});
