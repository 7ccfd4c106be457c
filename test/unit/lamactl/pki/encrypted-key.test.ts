// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { decryptKey, encryptKey } from '../../../../agent/lamactl/pki/encrypted-key.ts';

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const text = await encryptKey(privateKey, 'correct horse', randomBytes);

describe("an authority's key at rest", () => {
  it('opens with its passphrase, and with no other', () => {
    expect(decryptKey(text, 'correct horse', '/k').equals(privateKey)).toBe(true);
    expect(() => decryptKey(text, 'correct hors', '/k')).toThrow('Cannot open the key /k: the passphrase is another');
  });

  it('is never the same twice, and costs whoever guesses 600,000 rounds for each try', async () => {
    expect(await encryptKey(privateKey, 'correct horse', randomBytes)).not.toBe(text);
    const structure = execFileSync('openssl', ['asn1parse'], { input: text, stdio: ['pipe', 'pipe', 'inherit'] }).toString();
    expect(structure).toMatch(/PBES2[\s\S]*PBKDF2[\s\S]*INTEGER +:0927C0\n[\s\S]*hmacWithSHA256[\s\S]*aes-256-cbc/);
  });
});
