// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { readEvidence, writeEvidence } from '../../../../agent/lamactl/attest/evidence.ts';
import { readImaLog } from '../../../../agent/lamactl/attest/ima-log.ts';
import { readAttest } from '../../../../agent/lamactl/attest/tpm/attest.ts';
import { kdfA, kdfE } from '../../../../agent/lamactl/attest/tpm/key-derivation.ts';
import { makeCredential } from '../../../../agent/lamactl/attest/tpm/make-credential.ts';
import { readPublic } from '../../../../agent/lamactl/attest/tpm/public-area.ts';
import { isSignedBy, readSignature } from '../../../../agent/lamactl/attest/tpm/signature.ts';
import { readUserspaceLog } from '../../../../agent/lamactl/attest/userspace-log.ts';
import { GOOD_FILES, GOOD_PHASES, writeBinaryImaLog, writeImaLog } from '../../../../qemu/measured-boot/measured-boot.ts';
import { forge, forgeKey } from '../../fakes/attest/forged-tpm.ts';

const { evidence } = forge();
const at = (bytes: Buffer, offset: number, ...octets: number[]) => {
  const changed = Buffer.from(bytes);
  changed.set(octets, offset);
  return changed;
};

describe('a public area', () => {
  // TPM2B size 2, type 2, nameAlg 2, attributes 4, policy 2, symmetric 2, scheme 4, curve 2, kdf 2.
  it.each([
    ['a type that is no asymmetric key', at(evidence.ak_public, 2, 0, 8), 'neither RSA nor ECC'],
    ['a policy above the limit', at(evidence.ak_public, 10, 0, 65), 'the size of authPolicy is 65, and 64 is the most'],
    ['a scheme that nobody verifies', at(evidence.ak_public, 14, 0, 0x1a), 'scheme 0x1a is none of'],
    ['another curve', at(evidence.ak_public, 18, 0, 4), 'curve 0x4 is not NIST P-256'],
    ['a key derivation scheme', at(evidence.ak_public, 20, 0, 0x20), 'a key derivation scheme, 0x20'],
    ['a coordinate above the limit', at(evidence.ak_public, 22, 0, 33), 'the size of a coordinate is 33'],
    ['something after its end', Buffer.concat([evidence.ak_public, Buffer.of(0)]), '1 bytes follow its end'],
    ['a size that it does not have', at(evidence.ak_public, 0, 0xff), 'are needed at 2'],
  ])('is refused with %s', (_, bytes, found) => {
    expect(() => readPublic(bytes, 'the key')).toThrow(found);
  });

  it('of RSA has at least 2048 bits', () => {
    const rsa = (bits: number, size: number) => {
      const numbers = [0x0001, 0x000b, 0x0005, 0x0032, 0, 0x0010, 0x0014, 0x000b, bits, 0, 0, size];
      const body = Buffer.concat([...numbers.map((number) => Buffer.of(number >> 8, number & 0xff)), Buffer.alloc(size, 0xc3)]);
      return Buffer.concat([Buffer.of(body.length >> 8, body.length & 0xff), body]);
    };
    expect(readPublic(rsa(2048, 256), 'the key').key).toMatchObject({ type: 'rsa', exponent: 65537 });
    expect(() => readPublic(rsa(1024, 128), 'the key')).toThrow('an RSA key of 1024 bits');
    expect(() => readPublic(rsa(2048, 257), 'the key')).toThrow('an RSA key of 2048 bits');
  });
});

describe('a signature', () => {
  const ak = readPublic(evidence.ak_public, 'AK');

  it('holds for its message alone, with the scheme and hash of its key alone', () => {
    const signature = readSignature(evidence.signature);
    expect(isSignedBy(ak, signature, evidence.attest)).toBe(true);
    expect(isSignedBy(ak, signature, Buffer.concat([evidence.attest, Buffer.of(0)]))).toBe(false);
    expect(isSignedBy({ ...ak, scheme: undefined }, signature, evidence.attest)).toBe(false);
    const { scheme = { algorithm: 0, hash: 0 } } = ak;
    expect(isSignedBy({ ...ak, scheme: { ...scheme, hash: 0x000c } }, signature, evidence.attest)).toBe(false);
    expect(isSignedBy({ ...ak, scheme: { ...scheme, algorithm: 0x0014 } }, signature, evidence.attest)).toBe(false);
    const weak = { ...scheme, hash: 0x0004 };
    expect(isSignedBy({ ...ak, scheme: weak }, { ...signature, hash: 0x0004 }, evidence.attest)).toBe(false);
    const rsa = { algorithm: 0x0014, hash: 0x000b };
    expect(isSignedBy({ ...ak, scheme: rsa }, { ...signature, ...rsa }, evidence.attest)).toBe(false);
  });

  it('does not hold for a key that is no point of the curve', () => {
    const key = { type: 'ecc' as const, x: Buffer.alloc(32, 1), y: Buffer.alloc(32, 1) };
    expect(isSignedBy({ ...ak, key }, readSignature(evidence.signature), evidence.attest)).toBe(false);
  });

  it('is refused of an algorithm that is none', () => {
    expect(() => readSignature(at(evidence.signature, 0, 0, 5))).toThrow('algorithm 0x5 is none of');
    expect(() => readSignature(Buffer.concat([evidence.signature, Buffer.of(0)]))).toThrow('1 bytes follow its end');
  });
});

describe('a quote', () => {
  it('is read', () => {
    expect(readAttest(evidence.attest)).toMatchObject({
      magic: 0xff544347,
      type: 0x8018,
      clockInfo: { clock: 1_000_000n, resetCount: 7, restartCount: 1, safe: true },
      firmwareVersion: 0x2024_0101_0000_0001n,
      quote: { selections: [{ algorithm: 0x000b, pcrs: Array.from({ length: 16 }, (_, pcr) => pcr) }] },
    });
  });

  it('of a clock that is not safe says so, and of another type has no PCRs', () => {
    expect(readAttest(at(evidence.attest, 92, 0)).clockInfo.safe).toBe(false);
    expect(readAttest(at(evidence.attest, 4, 0x80, 0x17)).quote).toBeUndefined();
  });

  // Magic 4, type 2, signer 2 + 34, extraData 2 + 32, clock 8 + 4 + 4, safe 1, version 8, count 4, algorithm 2, size 1.
  it.each([
    ['a signer above the limit', 6, [0, 67], 'the size of qualifiedSigner is 67'],
    ['extraData above the limit', 42, [0, 65], 'the size of extraData is 65'],
    ['neither yes nor no', 92, [2], '"safe" is 2'],
    ['too many banks', 101, [0, 0, 0, 17], 'the number of PCR banks is 17'],
    ['too long a selection', 107, [5], 'the size of a PCR selection is 5'],
    ['too long a digest', 111, [0, 65], 'the size of the PCR digest is 65'],
  ])('is refused with %s', (_, offset, octets, found) => {
    expect(() => readAttest(at(evidence.attest, offset, ...octets))).toThrow(found);
  });
});

describe('a credential', () => {
  const random = (size: number) => Buffer.alloc(size, 7);
  const ek = readPublic(forgeKey('ek').area, 'EK');

  it('is made only for a key that can open it', () => {
    const make = (changes: object) => () => makeCredential({ ...ek, ...changes }, random(34), random(32), random);
    expect(make({})().idObject).toHaveLength(2 + 2 + 32 + 2 + 32);
    expect(make({ symmetric: undefined })).toThrow('it does not wrap with AES-CFB');
    expect(make({ symmetric: { algorithm: 6, keyBits: 64, mode: 0x43 } })).toThrow('it does not wrap with AES-CFB');
    expect(make({ symmetric: { algorithm: 6, keyBits: 128, mode: 0x44 } })).toThrow('it does not wrap with AES-CFB');
    expect(make({ nameAlgorithm: 4 })).toThrow('its name algorithm');
    expect(make({ key: { type: 'ecc', x: random(32), y: random(32) } })).toThrow('it is no point of P-256');
  });

  it('holds no more than the hash of the EK has', () => {
    expect(() => makeCredential(ek, random(34), random(33), random)).toThrow(RangeError);
    expect(() => kdfA('sha256', random(32), 'X', random(0), 33)).toThrow(RangeError);
    expect(() => kdfE('sha256', random(32), 'X', random(0), random(0), 33)).toThrow(RangeError);
  });
});

describe('a userspace log', () => {
  const read = (text: string) => readUserspaceLog(Buffer.from(text), 'sha256');
  const digests = [{ hashAlg: 'sha256', digest: 'ab'.repeat(32) }];
  const record = (changes: object) => `\x1e${JSON.stringify({ pcr: 11, digests, ...changes })}\n`;

  it('is read, event by event', () => {
    expect(readUserspaceLog(evidence.userspace_log, 'sha256')).toMatchObject(
      GOOD_PHASES.map(({ pcr, type, text }) => ({ pcr, type, text })),
    );
    expect(read(record({ content: undefined }))).toMatchObject([{ type: '', text: '' }]);
    expect(read('')).toEqual([]);
  });

  it('may hold measurements that are not into a PCR', () => {
    expect(read(record({ pcr: undefined, nv_index: 1 }))).toEqual([]);
  });

  it.each([
    ['something before its first record', `x${record({})}`, 'does not begin with a record separator'],
    ['no JSON', '\x1e{', 'event 0 is no JSON'],
    ['a PCR that is none', record({ pcr: 24 }), 'event 0 is not as systemd writes it'],
    ['no digest of the bank', record({ digests: [] }), 'event 0 has not one digest of sha256'],
    ['two digests of the bank', record({ digests: [...digests, ...digests] }), 'event 0 has not one digest of sha256'],
    ['a short digest', record({ digests: [{ hashAlg: 'sha256', digest: 'ab' }] }), 'event 0 has not one digest of sha256'],
    ['a long record', record({ more: 'x'.repeat(20_000) }), 'event 0 has'],
  ])('is refused with %s', (_, text, found) => {
    expect(() => read(text)).toThrow(found);
  });
});

describe('an IMA log', () => {
  const [line = ''] = writeImaLog(GOOD_FILES).toString().split('\n');
  const binary = writeBinaryImaLog(GOOD_FILES);

  it('that the agent had to cut says what to do', () => {
    const [line] = writeImaLog(GOOD_FILES).toString().split('\n');
    const full = Buffer.alloc(16 * 1024 * 1024, `${line}\n`);
    expect(() => readImaLog(full)).toThrow('it has 16 MiB or more: reboot the node');
  });

  it('says the same as text and in binary', () => {
    expect(readImaLog(writeImaLog(GOOD_FILES))).toEqual(readImaLog(binary));
    expect(readImaLog(Buffer.alloc(0))).toEqual([]);
  });

  it('may have names of any bytes: as text those without the end of a line, in binary all', () => {
    const [, , file] = GOOD_FILES;
    const raw = (bytes: Buffer, path: string) => Buffer.from(bytes.toString('latin1').replaceAll('NAME', path), 'latin1');
    const files = [{ ...file!, path: '/tmp/NAME' }];
    const [text] = readImaLog(raw(writeImaLog(files), '\xff\xc3\xbc!'));
    const [same] = readImaLog(raw(writeBinaryImaLog(files), '\xff\xc3\xbc!'));
    expect(text?.template).toEqual(same?.template);
    expect([text?.path, same?.path]).toEqual(['/tmp/\uFFFDü!', '/tmp/\uFFFDü!']);
    expect(readImaLog(raw(writeBinaryImaLog(files), 'a\nbc'))[0]?.path).toBe('/tmp/a\nbc');
  });

  it('may have signatures', () => {
    const [signed] = readImaLog(Buffer.from(`${line.replace('ima-ng', 'ima-sig')} 0302\n`));
    expect(signed?.template.subarray(-6).toString('hex')).toBe('020000000302');
    const [unsigned] = readImaLog(Buffer.from(`${line.replace('ima-ng', 'ima-sig')} \n`));
    expect(unsigned?.template.subarray(-4).toString('hex')).toBe('00000000');
  });

  it.each([
    ['another PCR', line.replace('10 ', '11 ')],
    ['another template', line.replace('ima-ng', 'ima')],
    ['a hash without its algorithm', line.replace('sha256:', '')],
    ['a signature where none belongs', `${line} 0302`],
    ['a signature that is no hexadecimal', `${line.replace('ima-ng', 'ima-sig')} xx`],
    ['more than it has', `${line.replace('ima-ng', 'ima-sig')} 0302 x`],
    ['something before the hash', line.replace('sha256:', 'x:sha256:')],
    ['something after the hash', line.replace(' boot', 'x boot')],
    ['half an octet', line.replace(' boot', '0 boot')],
    ['half an octet in its digest', line.replace('10 ', '10 0')],
    ['no path', line.slice(0, line.lastIndexOf(' '))],
    ['a digest that is no hexadecimal', line.replace('10 ', '10 x')],
    ['a line beyond reason', `${line}${'x'.repeat(20_000)}`],
  ])('is refused with %s', (_, text) => {
    expect(() => readImaLog(Buffer.from(`${text}\n`))).toThrow('Cannot read the IMA log: line 1');
  });

  it.each([
    ['another PCR', binary.length / 3, [11], 'is not for PCR 10'],
    ['another template', 28, [0x78], 'neither of ima-ng nor of ima-sig'],
    ['a template beyond reason', 34, [0xff, 0xff, 0xff], 'the size of a template'],
    ['a field beyond reason', 38, [0xff, 0xff, 0xff], 'the size of a field'],
  ])('in binary is refused with %s', (_, offset, octets, found) => {
    const first = writeBinaryImaLog(GOOD_FILES.slice(0, 1));
    const bytes = offset > 100 ? Buffer.concat([first, at(first, 0, ...octets)]) : at(first, offset, ...octets);
    if (offset > 100) bytes.set([11], first.length);
    expect(() => readImaLog(bytes)).toThrow(found);
  });
});

describe('an evidence file', () => {
  const document = JSON.parse(writeEvidence(evidence)) as Record<string, unknown>;
  const read = (changes: object) => () => readEvidence(Buffer.from(JSON.stringify({ ...document, ...changes })));

  it('is read back as it was written', () => {
    expect(read({})()).toEqual(evidence);
  });

  it.each([
    ['no JSON', () => readEvidence(Buffer.from('{')), 'it is no JSON'],
    ['a field too few', read({ attest: undefined }), 'field "attest"'],
    ['a field too many', read({ trusted: true }), 'field "trusted" is none that it has'],
    ['a short nonce', read({ nonce: 'AAAA' }), 'field "nonce" is not of 32 to 32 bytes'],
    ['base64 without padding', read({ nonce: String(document.nonce).replace(/=+$/, '') }), 'field "nonce" is no base64'],
    ['base64 of URLs', read({ attest: '_-_-' }), 'field "attest" is no base64'],
    ['a PCR that no TPM has', read({ pcr_values: { 24: 'AAAA' } }), 'field "pcr_values'],
    ['an unknown bank', read({ pcr_bank: 'md5' }), 'field "pcr_bank"'],
    ['a time that is none', read({ time: 'noon' }), 'field "time"'],
    ['something too large', read({ attest: 'A'.repeat(4000) }), 'field "attest"'],
    ['a nonce that is too long', read({ nonce: 'A'.repeat(44) }), 'field "nonce" is not of 32 to 32 bytes'],
    ['no field at all', () => readEvidence(Buffer.from('[]')), 'the evidence'],
    ['more than anybody needs', () => readEvidence(Buffer.alloc(32 * 1024 * 1024 + 1, ' ')), 'it has 33554433 bytes'],
  ])('is refused with %s', (_, refused, found) => {
    expect(refused).toThrow(found);
  });
});
