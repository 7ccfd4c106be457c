// SPDX-License-Identifier: Apache-2.0
import { X509Certificate } from 'node:crypto';
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { Callers } from '../../../../agent/daemon/rpc/callers.ts';
import { TestPki } from '../../../../qemu/pki/test-pki.ts';

let pki: TestPki;
beforeAll(async () => {
  pki = await TestPki.create();
});

type Context = Parameters<Callers['of']>[0];

/** A connection whose certificate TLS has verified. */
function connection(pem: string): Context {
  const { raw, fingerprint256 } = new X509Certificate(pem);
  return { sslPeerCertificate: { raw, fingerprint256 } } as Context;
}

describe('the callers', () => {
  it('are known by the certificate of their connection, each the same every time', async () => {
    const callers = new Callers();
    const admin = connection((await pki.client('admin')).certificate);
    const reader = connection((await pki.client('reader')).certificate);
    expect([callers.of(admin), callers.of(reader)]).toMatchObject([{ role: 'admin' }, { role: 'reader' }]);
    expect(callers.of(admin)).toBe(callers.of(admin));
  });

  it('are nobody without a certificate', () => {
    expect(() => new Callers().of({})).toThrow(expect.objectContaining({ code: 'UNAUTHENTICATED' }));
  });

  it('are nobody once their certificate expired, even on a connection that goes on', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    onTestFinished(() => void vi.useRealTimers());
    const callers = new Callers();
    const client = connection((await pki.client('admin')).certificate);
    const { notAfter } = callers.of(client);
    vi.setSystemTime(notAfter.getTime() + 1);
    expect(() => callers.of(client)).toThrow('Cannot accept the certificate of "admin": it expired');
  });
});
