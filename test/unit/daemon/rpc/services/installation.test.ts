// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { installation } from '../../../../../agent/daemon/rpc/services/installation.ts';
import { lamadist } from '../../../../../agent/shared/gen/messages.js';
import { CertificateAuthority } from '../../../../../qemu/pki/certificate-authority.ts';

const { InstallBundleRequest } = lamadist.agent.v1;
type Fields = lamadist.agent.v1.InstallBundleRequest.$Properties;

const URL_SOURCE = { url: 'https://images.example/v2.raucb' };
const CLIENT_SOURCE = { client: { name: 'v2.raucb', sizeBytes: 10, sha256: 'a'.repeat(64) } };
const read = (fields: Fields) => installation(InstallBundleRequest.create(fields) as never, () => 'id', 'alice');
const access = (urlAccess: Fields['urlAccess'], source: Fields['source'] = URL_SOURCE) => read({ source, urlAccess: urlAccess ?? {} });

describe('a request to install', () => {
  it('is taken as it is', () => {
    expect(read({ source: URL_SOURCE, window: 'Sat 02:00-05:00 Europe/Berlin', force: true, bytesPerSecond: 5 })).toEqual({
      operation: {
        id: 'id',
        source: { type: 'url', url: URL_SOURCE.url },
        rebootPolicy: 'automatic',
        force: true,
        allowDowngrade: false,
        bytesPerSecond: 5,
        window: 'Sat 02:00-05:00 Europe/Berlin',
        requestedBy: 'alice',
      },
      access: undefined,
    });
  });

  it.each<[string, Fields, string]>([
    ['a window that is none', { source: URL_SOURCE, window: 'Caturday' }, '"Caturday" is no window'],
    ['a window that goes on and on', { source: URL_SOURCE, window: `${' '.repeat(200)}02:00-03:00` }, 'is no window'],
    ["a window for the client's own file", { source: CLIENT_SOURCE, window: '02:00-03:00' }, 'cannot wait for a window'],
  ])('is refused with %s', (_what, fields, message) => {
    expect(() => read(fields)).toThrow(expect.objectContaining({ code: 'INVALID_REQUEST', message: expect.stringContaining(message) }));
  });
});

describe('what a request gives along for the server', () => {
  const ca = CertificateAuthority.create('servers');
  const header = (name: string, value = 'x') => ({ headers: [{ name, value }] });

  it('is taken with names in lower case', () => {
    expect(access(header('Authorization', 'Bearer abc')).access).toEqual({
      headers: { authorization: 'Bearer abc' },
      certificate: '',
      key: '',
      query: '',
    });
  });

  it('may be a client certificate', async () => {
    const { certificate, key } = await (await ca).issue({ commonName: 'node', purpose: 'client' });
    expect(access({ clientCertificate: certificate, clientKey: key }).access).toMatchObject({ certificate, key });
  });

  it('is refused where the key is of another certificate', async () => {
    const { certificate } = await (await ca).issue({ commonName: 'node', purpose: 'client' });
    const { key } = await (await ca).issue({ commonName: 'other', purpose: 'client' });
    expect(() => access({ clientCertificate: certificate, clientKey: key })).toThrow('does not belong to');
  });

  it('keeps the query of a URL from everybody but its server', () => {
    const { operation, access } = read({ source: { url: 'https://images.example/v2.raucb?token=abc' } });
    expect(operation.source).toEqual({ type: 'url', url: 'https://images.example/v2.raucb' });
    expect(access).toMatchObject({ query: '?token=abc', headers: {} });
  });

  it.each<[string, Fields['urlAccess'], string]>([
    ['a header without a name', header(''), 'name of a header'],
    ['a header with a line feed', header('x-a', 'b\r\nhost: c'), '"x-a" holds a character'],
    ['a header that makes the request', header('Host'), '"host" is the node\'s own'],
    ['a header twice', { headers: [...header('a').headers, ...header('A').headers] }, '"a" is there twice'],
    ['too many headers', { headers: Array.from({ length: 17 }, (_, i) => ({ name: `h${i}`, value: '' })) }, 'more than 16'],
    ['headers that are too long', header('a', 'b'.repeat(9_000)), 'longer than 8192'],
    ['a certificate without a key', { clientCertificate: 'x' }, 'come together'],
    ['a key without a certificate', { clientKey: 'x' }, 'come together'],
    ['what is no PEM', { clientCertificate: 'x', clientKey: 'y' }, 'no PEM'],
    ['PEM that is too long', { clientCertificate: 'x'.repeat(40_000), clientKey: 'y' }, 'longer than 32768'],
  ])('is refused with %s', (_what, given, message) => {
    expect(() => access(given)).toThrow(expect.objectContaining({ code: 'INVALID_REQUEST', message: expect.stringContaining(message) }));
  });

  it('is refused for a source that is no URL', () => {
    expect(() => access(header('a'), { path: '/v2.raucb' })).toThrow('are for a URL');
  });
});
