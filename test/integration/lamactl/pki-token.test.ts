// SPDX-License-Identifier: Apache-2.0
import { X509Certificate } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { softHsm, type Token, tpmToken } from '../fakes/token.ts';

const LAMACTL = join(import.meta.dirname, '../../../dist/lamactl.js');
const TOKENS = [
  { what: 'a security module', make: softHsm },
  { what: 'a TPM', make: tpmToken },
];

describe.each(TOKENS)("an authority's key in $what", { timeout: 120_000 }, ({ make }) => {
  let folder: string;
  let token: Token;
  let env: NodeJS.ProcessEnv;
  let key: string;

  const lamactl = (...args: readonly string[]) => execa('node', [LAMACTL, ...args], { env, reject: false, all: true, input: '' });
  const file = (name: string) => join(folder, name);

  beforeAll(async () => {
    token = await make({ label: 'authority', kind: 'p256' });
    key = `pkcs11:token=${encodeURIComponent(token.label)};object=authority?module-path=${token.module}`;
    folder = await mkdtemp(join(tmpdir(), 'lamadist-token-'));
    await writeFile(file('pin'), `${token.pin}\n`, { mode: 0o600 });
    await writeFile(file('wrong-pin'), '000000\n', { mode: 0o600 });
    env = { ...process.env, ...token.env, LAMACTL_CONFIG: file('config.yaml') };
  }, 120_000);
  afterAll(async () => {
    await token.end();
    await rm(folder, { recursive: true });
  });

  it('signs, and never leaves it', async () => {
    const made = await lamactl('pki', 'init', '--token', key, '--passphrase-file', file('pin'));
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
    expect(await lamactl('pki', 'list')).toMatchObject({ stdout: expect.stringContaining(key) });
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
      key.replace('home%20lab', 'gone'),
      '--passphrase-file',
      file('pin'),
    );
    expect(gone).toMatchObject({ exitCode: 3, all: expect.stringContaining('Cannot use the token "gone"') });
  });
});
