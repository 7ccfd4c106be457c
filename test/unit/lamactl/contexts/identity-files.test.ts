// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readIdentity } from '../../../../agent/lamactl/contexts/identity-files.ts';
import { Certificates } from '../certificates.ts';

const certificates = new Certificates();
afterAll(() => certificates.remove());

const context = (client: string) => ({
  name: 'home',
  ca: certificates.path('ca.pem'),
  certificate: certificates.path(`${client}.pem`),
  key: certificates.path(`${client}.key`),
  nodes: {},
});

describe('the files of an identity', () => {
  beforeAll(() => {
    certificates.authority('ca');
    for (const name of ['admin', 'open', 'mixed']) certificates.leaf(name, 'ca');
  });

  it('are read when the key is its owner’s alone', async () => {
    expect((await readIdentity(context('admin'))).key.toString()).toContain('PRIVATE KEY');
  });

  it.each([0o640, 0o604, 0o610])('are refused while mode %o opens the key to others', async (mode) => {
    chmodSync(certificates.path('open.key'), mode);
    await expect(readIdentity(context('open'))).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    await expect(readIdentity(context('open'))).rejects.toThrow(`run "chmod 600 ${certificates.path('open.key')}"`);
  });

  it('are refused when the key is not that of the certificate', async () => {
    const mixed = { ...context('mixed'), key: certificates.path('admin.key') };
    await expect(readIdentity(mixed)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });

  it('are refused when a file is missing or no PEM', async () => {
    const noKey = { ...context('admin'), key: certificates.path('nobody.key') };
    await expect(readIdentity(noKey)).rejects.toThrow('nobody.key: it does not exist; correct its path in the context file');
    writeFileSync(certificates.path('junk.pem'), 'junk');
    const junk = { ...context('admin'), ca: certificates.path('junk.pem') };
    await expect(readIdentity(junk)).rejects.toThrow(`Cannot read the CA certificate of context "home", ${junk.ca}: it is not valid PEM`);
  });

  it('are refused when the key is locked with a passphrase', async () => {
    const key = certificates.path('locked.key');
    const argv = ['pkcs8', '-topk8', '-in', certificates.path('admin.key'), '-out', key, '-passout', 'pass:secret'];
    execFileSync('openssl', argv);
    chmodSync(key, 0o600);
    await expect(readIdentity({ ...context('admin'), key })).rejects.toThrow('it is locked with a passphrase');
  });

  it('are refused, and not waited for, when one of them is a pipe', async () => {
    const pipe = certificates.path('pipe.key');
    execFileSync('mkfifo', ['-m', '600', pipe]);
    await expect(readIdentity({ ...context('admin'), key: pipe })).rejects.toThrow('pipe.key: it is not a file');
  });
});
