// SPDX-License-Identifier: Apache-2.0
// What the layer signs PCR 11 for, when it builds a UKI, is what lamactl expects of a node that booted it. Two programs in two
// languages have to agree: a UKI is signed with what a build has, Python, and an administrator has lamactl.
import { verify } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { expectedPcr11 } from '../../agent/lamactl/attest/image/expected-pcrs.ts';
import type { Uki } from '../../agent/lamactl/attest/image/uki.ts';
import { temporaryFolder } from '../unit/fakes/folder.ts';

const LIB = path.join(import.meta.dirname, '../../meta-lamadist/lib');
const CALCULATE = `
import json, sys
sys.path.insert(0, sys.argv[1])
from lamadist.pcr_policy import PHASES, after_stub, extend
value = after_stub({name: text.encode() for name, text in json.load(sys.stdin).items()})
for phase in PHASES:
    value = extend(value, phase.encode())
print(value.hex())`;

const SIGN = `
import sys
sys.path.insert(0, sys.argv[1])
from lamadist.pcr_policy import fingerprint_of, signature_section, signer
print(signature_section({".linux": b"kernel"}, signer(sys.argv[2]), fingerprint_of(sys.argv[3])))`;
const MODULE = '/usr/lib/softhsm/libsofthsm2.so';
const PIN = '271828';

it('is expected by lamactl as the layer signs it', async () => {
  // In the order of systemd-stub 255; the file may have another.
  const sections = {
    '.linux': 'kernel',
    '.osrel': 'ID=lamadist',
    '.cmdline': 'ro',
    '.initrd': 'initrd',
    '.uname': '6.6',
    '.sbat': 'sbat',
    '.pcrpkey': 'key',
  };
  const reversed = Object.fromEntries(Object.entries(sections).reverse());
  const { stdout } = await execa('python3', ['-B', '-c', CALCULATE, LIB], { input: JSON.stringify(reversed) });

  const measured = Object.entries(sections).map(([name, text]) => ({ name, content: Buffer.from(text) }));
  expect(stdout.trim()).toBe(expectedPcr11({ measured } as unknown as Uki, 'sha256').toString('hex'));
});

it('is signed by a key in a PKCS#11 module, which never leaves it', { timeout: 60_000 }, async () => {
  const folder = await temporaryFolder();
  const file = (name: string) => path.join(folder, name);
  await mkdir(file('tokens'));
  await writeFile(file('softhsm2.conf'), `directories.tokendir = ${file('tokens')}\n`);
  await writeFile(file('pin'), PIN, { mode: 0o600 });
  // As lamadist-pkcs11.bbclass has it.
  const env = { ...process.env, SOFTHSM2_CONF: file('softhsm2.conf'), PKCS11_MODULE_PATH: MODULE };
  await execa('softhsm2-util', ['--init-token', '--free', '--label', 'lamadist', '--pin', PIN, '--so-pin', '314159'], { env });
  const tool = (...args: string[]) =>
    execa('pkcs11-tool', ['--module', MODULE, '--token-label', 'lamadist', '--login', '--pin', PIN, '--label', 'pcr', ...args], { env });
  await tool('--keypairgen', '--key-type', 'rsa:2048', '--usage-sign');
  await tool('--read-object', '--type', 'pubkey', '--output-file', file('pcr.der'));
  await execa('openssl', ['pkey', '-pubin', '-inform', 'DER', '-in', file('pcr.der'), '-out', file('pcr.pub')]);

  const key = `pkcs11:token=lamadist;object=pcr;type=private?pin-source=file:${file('pin')}`;
  const { stdout } = await execa('python3', ['-B', '-c', SIGN, LIB, key, file('pcr.pub')], { env });
  const { sha256 } = JSON.parse(stdout) as { sha256: { pol: string; sig: string }[] };
  const publicKey = await readFile(file('pcr.pub'), 'utf8');
  expect(sha256).toHaveLength(4);
  for (const { pol, sig } of sha256) expect(verify('sha256', Buffer.from(pol, 'hex'), publicKey, Buffer.from(sig, 'base64'))).toBe(true);
});
