// SPDX-License-Identifier: Apache-2.0
// The keys of a production build may be in a security module or in the builder's TPM. What the layers' classes sign with them is
// signed here with the same programs, options and variables (lamadist-pkcs11.bbclass), and verified with the public half alone.
import { randomBytes, verify } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { softHsm, type Token, tpmToken } from '../fakes/token.ts';

const LIB = path.join(import.meta.dirname, '../../../meta-lamadist/lib');
const SIGN_POLICY = `
import sys
sys.path.insert(0, sys.argv[1])
from lamadist.pcr_policy import fingerprint_of, signature_section, signer
print(signature_section({".linux": b"kernel"}, signer(sys.argv[2]), fingerprint_of(sys.argv[3])))`;
const STUB = '/usr/lib/systemd/boot/efi/linuxx64.efi.stub';
const MANIFEST = `[update]
compatible=lamadist-test
version=1
[bundle]
format=verity
[image.rootfs]
filename=rootfs.img
`;
const COMMAND_TIMEOUT_MS = 60_000;
/** Inside OpenSSL with an engine, tpm2-tss finds the engine's algorithms instead of its own before its version 4. */
const FIRST_TSS = 4;
const { stdout: tss } = await execa('dpkg-query', ['--show', `--showformat=\${Version}`, 'libtss2-esys-3.0.2*']);
const unable = Number.parseInt(tss, 10) < FIRST_TSS ? `needs tpm2-tss ${FIRST_TSS}, and not ${tss}` : '';
const TOKENS = [
  { what: 'a security module', make: softHsm, unable: '' },
  { what: 'a TPM', make: tpmToken, unable },
];

describe.each(TOKENS)('a key (RSA, 2048 bits) in $what', { timeout: 120_000 }, ({ make, unable }) => {
  if (unable) return void it.skip(unable, () => undefined);
  let folder: string;
  let token: Token;
  let key: string;

  const file = (name: string) => path.join(folder, name);
  const run = (program: string, ...args: readonly string[]) => {
    const modules = { PKCS11_MODULE_PATH: token.module, RAUC_PKCS11_MODULE: token.module };
    return execa(program, args, { env: { ...token.env, ...modules }, timeout: COMMAND_TIMEOUT_MS });
  };

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'lamadist-keys-'));
    token = await make({ label: 'signing', kind: 'rsa2048' });
    await writeFile(file('pin'), token.pin, { mode: 0o600 });
    key = `pkcs11:token=${encodeURIComponent(token.label)};object=signing;type=private?pin-source=file:${file('pin')}`;
    const request = ['req', '-x509', '-new', '-days', '2', '-subj', '/CN=maker', '-engine', 'pkcs11', '-keyform', 'engine', '-key', key];
    await run('openssl', ...request, '-out', file('maker.pem'));
    const { stdout } = await run('openssl', 'x509', '-in', file('maker.pem'), '-noout', '-pubkey');
    await writeFile(file('maker.pub'), `${stdout}\n`);
  }, 120_000);
  afterAll(async () => {
    await token.end();
    await rm(folder, { recursive: true });
  });

  it('signs what PCR 11 will be', async () => {
    const { stdout } = await run('python3', '-B', '-c', SIGN_POLICY, LIB, key, file('maker.pub'));
    const { sha256 } = JSON.parse(stdout) as { sha256: { pol: string; sig: string }[] };
    const publicKey = await readFile(file('maker.pub'), 'utf8');
    expect(sha256).toHaveLength(4);
    for (const { pol, sig } of sha256) expect(verify('sha256', Buffer.from(pol, 'hex'), publicKey, Buffer.from(sig, 'base64'))).toBe(true);
  });

  it('signs a program for Secure Boot', async () => {
    await run('sbsign', '--engine', 'pkcs11', '--key', key, '--cert', file('maker.pem'), '--output', file('signed.efi'), STUB);
    await expect(run('sbverify', '--cert', file('maker.pem'), file('signed.efi'))).resolves.toMatchObject({ exitCode: 0 });
    await expect(run('sbverify', '--cert', file('maker.pem'), STUB)).rejects.toThrow('No signature table present');
  });

  it('signs a bundle', async () => {
    await mkdir(file('content'));
    await writeFile(file('content/rootfs.img'), randomBytes(64 * 1024));
    await writeFile(file('content/manifest.raucm'), MANIFEST);
    await run('rauc', 'bundle', `--cert=${file('maker.pem')}`, `--key=${key}`, file('content'), file('signed.raucb'));
    const { stdout } = await run('rauc', 'info', `--keyring=${file('maker.pem')}`, '--output-format=json', file('signed.raucb'));
    expect(JSON.parse(stdout)).toMatchObject({ compatible: 'lamadist-test', version: '1' });
  });
});
