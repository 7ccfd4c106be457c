// SPDX-License-Identifier: Apache-2.0
import { X509Certificate } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { NodeServerCredentials } from '../../../../agent/daemon/access/server-credentials.ts';
import type { Credentials } from '../../../../qemu/pki/certificate-authority.ts';
import { TestPki } from '../../../../qemu/pki/test-pki.ts';
import { temporaryFolder } from '../../fakes/folder.ts';
import { keepingLogger } from '../../fakes/log.ts';

let pki: TestPki;
let node: Credentials;
beforeAll(async () => {
  pki = await TestPki.create();
  node = await pki.node('attic', '127.0.0.1');
});

const expiryOf = (certificate: string) => new Date(new X509Certificate(certificate).validTo);

/** A folder with everything that a node needs. */
async function identityFolder() {
  const folder = await temporaryFolder();
  const write = (name: string, content: string) => writeFile(join(folder, name), content);
  await write('ca.pem', pki.agentAuthority.certificate);
  await write('node.pem', node.certificate);
  await write('node.key', node.key);
  return { folder, write };
}

async function read(folder: string) {
  const { log, lines } = keepingLogger();
  const changes: { count: number; narrower?: boolean } = { count: 0 };
  const credentials = await NodeServerCredentials.read(folder, log, ({ narrower }) => {
    changes.count++;
    changes.narrower = narrower;
  });
  onTestFinished(() => credentials.close());
  const said = (start: string) => lines.filter(({ msg }) => String(msg).startsWith(start)).length;
  return { credentials, changes, said };
}

describe("the node's credentials", () => {
  it('are read whole, with or without a revocation list', async () => {
    const { folder, write } = await identityFolder();
    expect((await read(folder)).credentials.notAfter).toEqual(expiryOf(node.certificate));
    await write('crl.pem', await pki.agentAuthority.revocationList([node.serialNumber]));
    await read(folder);
  });

  it.each(['ca.pem', 'node.pem', 'node.key'])('need %s, and name it when it is not there or is none', async (name) => {
    const { folder, write } = await identityFolder();
    await rm(join(folder, name));
    const missing = { code: 'CONFIG_INVALID', message: expect.stringMatching(new RegExp(`^Cannot read ${join(folder, name)}: ENOENT`)) };
    await expect(read(folder)).rejects.toMatchObject(missing);
    await write(name, 'junk');
    await expect(read(folder)).rejects.toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining('it is not valid PEM') });
  });

  it('trust no authority that OpenSSL would find where the node sees none', async () => {
    const { folder, write } = await identityFolder();
    const hidden = pki.bundleAuthority.certificate.replaceAll('CERTIFICATE', 'TRUSTED CERTIFICATE');
    await write('ca.pem', pki.agentAuthority.certificate + hidden);
    const { credentials } = await read(folder);
    expect(credentials.context().ca?.toString()).toBe(pki.agentAuthority.certificate);
  });

  it('are never taken without the revocation list that is there', async () => {
    const { folder, write } = await identityFolder();
    await write('crl.pem', 'junk');
    const message = expect.stringMatching(`^Cannot use the certificates in ${folder}: `);
    await expect(read(folder)).rejects.toMatchObject({ code: 'CONFIG_INVALID', message });
    await rm(join(folder, 'crl.pem'));
    await mkdir(join(folder, 'crl.pem'));
    await expect(read(folder)).rejects.toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining('crl.pem: EISDIR') });
  });

  it("are not taken with another certificate's key", async () => {
    const { folder, write } = await identityFolder();
    await write('node.key', (await pki.node('cellar', '127.0.0.1')).key);
    await expect(read(folder)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });

  it('are read again, once, when several files change, and connections are told', async () => {
    const { folder, write } = await identityFolder();
    const { credentials, changes, said } = await read(folder);
    const later = new Date(Date.now() + 90 * 86_400_000);
    const request = { commonName: 'attic', purpose: 'server', validity: { notBefore: new Date(), notAfter: later } } as const;
    const next = await pki.agentAuthority.issue(request);
    await write('node.pem', next.certificate);
    await write('node.key', next.key);
    await vi.waitUntil(() => changes.count > 0, { timeout: 10_000 });
    expect(credentials.notAfter).toEqual(expiryOf(next.certificate));
    expect([changes.count, said('The certificates were read again')]).toEqual([1, 1]);
  });

  it('are put in force at once when they are asked to be, and nobody is told of what did not change', async () => {
    const { folder, write } = await identityFolder();
    const { credentials, changes } = await read(folder);
    await credentials.reload();
    expect(changes.count).toBe(0);
    await write('crl.pem', await pki.agentAuthority.revocationList([]));
    await credentials.reload();
    expect(changes).toEqual({ count: 1, narrower: true });
  });

  it('tell that connections may stay when an authority and its revocation list come beside those there were', async () => {
    const { folder, write } = await identityFolder();
    const [list, second] = [await pki.agentAuthority.revocationList([]), await TestPki.create()];
    await write('crl.pem', list);
    const { credentials, changes } = await read(folder);
    await write('crl.pem', list + (await second.agentAuthority.revocationList([])));
    await write('ca.pem', pki.agentAuthority.certificate + second.agentAuthority.certificate);
    await credentials.reload();
    expect(changes).toEqual({ count: 1, narrower: false });
    await write('ca.pem', pki.agentAuthority.certificate);
    await credentials.reload();
    expect(changes).toEqual({ count: 2, narrower: true });
  });

  it('stay in force, and connections with them, while what changed cannot be used', async () => {
    const { folder, write } = await identityFolder();
    const { credentials, changes, said } = await read(folder);
    await write('node.pem', 'junk');
    await vi.waitUntil(() => said('The certificates that changed cannot be used') > 0, { timeout: 10_000 });
    expect(credentials.notAfter).toEqual(expiryOf(node.certificate));
    expect(changes.count).toBe(0);
    const anew = await pki.agentAuthority.issue({ commonName: 'attic', purpose: 'server' });
    await write('node.key', anew.key);
    await write('node.pem', anew.certificate);
    await vi.waitUntil(() => changes.count === 1, { timeout: 10_000 });
  });
});
