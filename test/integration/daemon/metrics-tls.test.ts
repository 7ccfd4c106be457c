// SPDX-License-Identifier: Apache-2.0
import { rename, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Credentials } from '../../../qemu/pki/certificate-authority.ts';
import { freePort } from '../fakes/free-port.ts';
import { type Daemon, startDaemon } from '../fakes/real-daemon.ts';

let daemon: Daemon;
let port: number;
beforeAll(async () => {
  port = await freePort();
  // Not a loopback address, which the configuration admits with TLS alone.
  daemon = await startDaemon({ metrics: { listen: `0.0.0.0:${port}`, tls: true } });
});
afterAll(() => daemon?.stop());

/** Resolves with the status and body, or with the error's code. */
function scrape(client?: Credentials): Promise<string> {
  const identity = client && { cert: client.certificate, key: client.key };
  const options = {
    host: '127.0.0.1',
    port,
    path: '/metrics',
    ca: daemon.pki.agentAuthority.certificate,
    servername: 'attic',
    agent: false as const,
  };
  return new Promise((resolve) => {
    request({ ...options, ...identity, timeout: 10_000 }, (response) => {
      void text(response).then((body) => resolve(`${response.statusCode} ${body}`));
    })
      .on('error', (error) => resolve((error as NodeJS.ErrnoException).code ?? error.message))
      .end();
  });
}

describe('metrics over mutual TLS', { timeout: 60_000 }, () => {
  it.each(['monitor', 'admin'] as const)('are given to a %s', async (role) => {
    expect(await scrape(await daemon.pki.client(role))).toMatch(/^200 .*lamadist_node_load_average/s);
  });

  it('are given to nobody without a certificate, or with one that expired', async () => {
    expect(await scrape()).toMatch(/CERTIFICATE_REQUIRED|ECONNRESET/);
    expect(await scrape(await daemon.pki.expiredClient('monitor'))).toBe('ECONNRESET');
  });

  it('are refused to a certificate without a role', async () => {
    const nobody = await daemon.pki.agentAuthority.issue({ commonName: 'nobody', organization: 'Example', purpose: 'client' });
    expect(await scrape(nobody)).toBe('403 Cannot accept the certificate of "nobody": its Organization is not one of LamaDist\'s roles\n');
  });

  it('are refused to another node', async () => {
    expect(await scrape(await daemon.pki.node('cellar', '127.0.0.1'))).toBe('403 Cannot read metrics: "cellar" is another node\n');
  });

  it('are refused to a revoked certificate as soon as the revocation list is in place', async () => {
    const revoked = await daemon.pki.client('monitor');
    expect(await scrape(revoked)).toMatch(/^200 /);
    const tls = join(daemon.folder, 'tls');
    await writeFile(join(tls, 'crl.tmp'), await daemon.pki.agentAuthority.revocationList([revoked.serialNumber]));
    await rename(join(tls, 'crl.tmp'), join(tls, 'crl.pem'));
    await vi.waitUntil(async () => (await scrape(revoked)) === 'ECONNRESET', { timeout: 15_000, interval: 200 });
    expect(await scrape(await daemon.pki.client('monitor'))).toMatch(/^200 /);
  });
});
