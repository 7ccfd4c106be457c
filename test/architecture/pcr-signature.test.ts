// SPDX-License-Identifier: Apache-2.0
// A UKI brings the public key that a node seals its disk to, and signatures that open it again: both are of one key, or the node
// never boots a second time. The layer's own code, run on a UKI that is played by its sections.
import { generateKeyPairSync } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../unit/fakes/folder.ts';

const SIGNER = path.join(import.meta.dirname, '../../meta-lamadist/lib/lamadist/pcr_policy.py');
/** In the place of the library that reads a UKI: one section. */
const PEFILE = `
class Section:
    Name = b".linux"
    Misc_VirtualSize = 6
    def get_data(self, length):
        return b"kernel"
class PE:
    sections = [Section()]
    def __init__(self, path, fast_load):
        pass
`;

/** A folder with two pairs of keys: a.key and a.pub, b.key and b.pub. */
async function keyPairs(): Promise<string> {
  const folder = await temporaryFolder();
  for (const name of ['a', 'b']) {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    await writeFile(path.join(folder, `${name}.key`), privateKey.export({ type: 'pkcs8', format: 'pem' }));
    await writeFile(path.join(folder, `${name}.pub`), publicKey.export({ type: 'spki', format: 'pem' }));
  }
  await mkdir(path.join(folder, 'python'));
  await writeFile(path.join(folder, 'python/pefile.py'), PEFILE);
  return folder;
}

const sign = (folder: string, key: string, publicKey: string) =>
  execa('python3', ['-B', SIGNER, 'a.efi', path.join(folder, key), path.join(folder, publicKey)], {
    env: { PYTHONPATH: path.join(folder, 'python') },
    reject: false,
  });

it('signs what PCR 11 will be, once for each phase of a boot', async () => {
  const { stdout, exitCode } = await sign(await keyPairs(), 'a.key', 'a.pub');
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ sha256: [{ pcrs: [11] }, { pcrs: [11] }, { pcrs: [11] }, { pcrs: [11] }] });
});

it('refuses to sign with one key under the name of another', async () => {
  const folder = await keyPairs();
  const { stdout, stderr, exitCode } = await sign(folder, 'a.key', 'b.pub');
  expect(exitCode).toBe(1);
  expect(stdout).toBe('');
  expect(stderr).toBe(`Cannot sign what PCR 11 will be: "${folder}/b.pub" is not the public key of "${folder}/a.key"`);
});
