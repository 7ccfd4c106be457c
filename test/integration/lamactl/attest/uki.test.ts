// SPDX-License-Identifier: Apache-2.0
// PCR 4 and 11 of an image from the file alone, against those who know: systemd-measure and sbsign.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { authenticodeHash } from '../../../../agent/lamactl/attest/image/authenticode.ts';
import { BOOT_PHASES, expectedPcr4, expectedPcr11 } from '../../../../agent/lamactl/attest/image/expected-pcrs.ts';
import { readPe } from '../../../../agent/lamactl/attest/image/pe-file.ts';
import { readUki } from '../../../../agent/lamactl/attest/image/uki.ts';
import { run } from '../../../../qemu/host/command.ts';
import { sayOnStderr } from '../../../../qemu/host/say.ts';
import { inRoot, WORK } from '../../../../qemu/root/in-root.ts';
import { prepareRoot } from '../../../../qemu/root/prepare-root.ts';
import { buildUki, SECTIONS } from '../../fakes/test-uki.ts';

const COMMAND = { timeoutMs: 60_000 };
const MEASURE = '/usr/lib/systemd/systemd-measure';
/** Every first part of the boot, as systemd-measure lists them. */
const PATHS = BOOT_PHASES.map((_, index) => BOOT_PHASES.slice(0, index + 1));

const measureWords = (folder: string, sections: readonly string[]) => [
  MEASURE,
  'calculate',
  '--bank=sha256',
  ...sections.map((name) => `--${name}=${join(folder, name)}`),
];
const values = (output: string) => [...output.matchAll(/^11:sha256=([0-9a-f]{64})$/gm)].map(([, value]) => value);

describe('a unified kernel image', { timeout: 180_000 }, () => {
  let folder: string;
  let uki: string;
  let bytes: Buffer;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lamadist-uki-'));
    uki = await buildUki(folder);
    bytes = await readFile(uki);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('with a stub of systemd 252 is measured without .uname and .sbat', async () => {
    const old = readUki(withStub(bytes, 252));
    const sections = SECTIONS.filter((name) => name !== 'uname');
    const [file = '', ...args] = measureWords(folder, sections);
    const measured = values(await run([file, ...args], COMMAND));
    expect(PATHS.map((phases) => expectedPcr11(old, 'sha256', phases).toString('hex'))).toEqual(measured);
  });

  it('with a stub of systemd 257 is measured with them', async () => {
    const root = await prepareRoot(sayOnStderr);
    const [file, ...args] = inRoot(root, folder, measureWords(WORK, [...SECTIONS, 'sbat']));
    const measured = values(await run([file, ...args], COMMAND));
    const recent = readUki(withStub(bytes, 257));
    expect(PATHS.map((phases) => expectedPcr11(recent, 'sha256', phases).toString('hex'))).toEqual(measured);
  });

  it('has the hash that its signature is made of, before and after it is signed', async () => {
    await run(
      [
        'openssl',
        'req',
        '-x509',
        '-newkey',
        'rsa:2048',
        '-nodes',
        '-subj',
        '/CN=db',
        '-keyout',
        join(folder, 'key'),
        '-out',
        join(folder, 'certificate'),
      ],
      COMMAND,
    );
    // sbsign fills the file up to a multiple of eight, which is then part of the image.
    const padded = Buffer.concat([bytes, Buffer.alloc((8 - (bytes.length % 8)) % 8)]);
    await writeFile(uki, padded);
    await run(['sbsign', '--key', join(folder, 'key'), '--cert', join(folder, 'certificate'), '--output', `${uki}.signed`, uki], COMMAND);
    const signed = await readFile(`${uki}.signed`);
    const hash = authenticodeHash(readPe(signed), 'sha256');
    expect(signed.subarray(padded.length).includes(hash)).toBe(true);
    expect(authenticodeHash(readPe(padded), 'sha256').equals(hash)).toBe(true);
    expect(expectedPcr4(readUki(signed), 'sha256')).toEqual(expectedPcr4(readUki(padded), 'sha256'));
  });

  it('is refused when it is changed into something whose measurement is not known', () => {
    const renamed = (from: string, to: string) => {
      const changed = Buffer.from(bytes);
      changed.write(to.padEnd(8, '\0'), changed.indexOf(from.padEnd(8, '\0')), 'latin1');
      return () => readUki(changed);
    };
    expect(renamed('.initrd', '.cmdline')).toThrow('a section comes twice');
    expect(renamed('.uname', '.dtbauto')).toThrow('depends on the machine');
    expect(renamed('.linux', '.other')).toThrow('no section .linux');
    expect(renamed('.sdmagic', '.other')).toThrow('its stub is not');
    expect(() => readUki(bytes.subarray(0, 100_000))).toThrow('Cannot read the PE file');
  });
});

/** The same image as if its stub were of another version. */
function withStub(bytes: Buffer, version: number): Buffer {
  const changed = Buffer.from(bytes);
  const words = '#### LoaderInfo: systemd-stub ';
  changed.write(String(version), changed.indexOf(words) + words.length, 'latin1');
  return changed;
}
