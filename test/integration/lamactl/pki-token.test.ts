// SPDX-License-Identifier: Apache-2.0
import { X509Certificate } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const MODULE = '/usr/lib/softhsm/libsofthsm2.so';
const LAMACTL = join(import.meta.dirname, '../../../dist/lamactl.js');
const PIN = '271828';
const KEY = `pkcs11:token=home%20lab;object=authority?module-path=${MODULE}`;

let folder: string;
let env: NodeJS.ProcessEnv;

const lamactl = (...args: readonly string[]) => execa('node', [LAMACTL, ...args], { env, reject: false, all: true, input: '' });
const file = (name: string) => join(folder, name);

/** SoftHSM stands for a smart card, a security module, or a TPM behind tpm2-pkcs11: the interface is the same. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lamadist-token-'));
  await mkdir(file('tokens'));
  await writeFile(file('softhsm2.conf'), `directories.tokendir = ${file('tokens')}\n`);
  await writeFile(file('pin'), `${PIN}\n`, { mode: 0o600 });
  await writeFile(file('wrong-pin'), '000000\n', { mode: 0o600 });
  env = { ...process.env, SOFTHSM2_CONF: file('softhsm2.conf'), LAMACTL_CONFIG: file('config.yaml') };
  await execa('softhsm2-util', ['--init-token', '--free', '--label', 'home lab', '--pin', PIN, '--so-pin', '314159'], { env });
  const generate = ['--keypairgen', '--key-type', 'EC:prime256v1', '--label', 'authority', '--usage-sign'];
  await execa('pkcs11-tool', ['--module', MODULE, '--token-label', 'home lab', '--login', '--pin', PIN, ...generate], { env });
});
afterAll(() => rm(folder, { recursive: true }));

describe("an authority's key in a token", { timeout: 60_000 }, () => {
  it('signs, and never leaves it', async () => {
    const made = await lamactl('pki', 'init', '--token', KEY, '--passphrase-file', file('pin'));
    expect(made).toMatchObject({ exitCode: 0 });
    const issued = await lamactl('pki', 'issue', 'bob', '--role', 'reader', '--folder', file('bob'), '--passphrase-file', file('pin'));
    expect(issued).toMatchObject({ exitCode: 0 });
    const [authority, bob] = [
      new X509Certificate(await readFile(file('bob/ca.pem'))),
      new X509Certificate(await readFile(file('bob/bob.pem'))),
    ];
    expect(bob.verify(authority.publicKey)).toBe(true);
    const kept = await readdir(file('pki/home'));
    expect(kept.filter((name) => name.startsWith('authority'))).toEqual([]);
    expect(await lamactl('pki', 'list')).toMatchObject({ stdout: expect.stringContaining(KEY) });
  });

  it('is named when the PIN is wrong, or the token is not there', async () => {
    const wrong = await lamactl('pki', 'issue', 'eve', '--role', 'reader', '--folder', file('eve'), '--passphrase-file', file('wrong-pin'));
    expect(wrong).toMatchObject({ exitCode: 3, all: expect.stringContaining('CKR_PIN_INCORRECT') });
    expect(wrong.all).not.toContain('000000');
    const gone = await lamactl(
      'pki',
      'init',
      '--context',
      'other',
      '--token',
      KEY.replace('home%20lab', 'gone'),
      '--passphrase-file',
      file('pin'),
    );
    expect(gone).toMatchObject({ exitCode: 3, all: expect.stringContaining('Cannot use the token "gone"') });
  });
});
