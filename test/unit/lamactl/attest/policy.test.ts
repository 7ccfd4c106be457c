// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { readPolicy } from '../../../../agent/lamactl/attest/policy.ts';
import { forge } from '../../fakes/attest/forged-tpm.ts';

const { policy } = forge();
const read = (changes: object) => () => readPolicy(JSON.stringify({ ...policy, ...changes }), 'attic.yaml');
const pin = (from: string) => ({ from, values: ['00'.repeat(32)] });

describe('a policy', () => {
  it('is read back as it was written', () => {
    expect(read({})()).toEqual(policy);
  });

  it.each(['0', '2', '7'])('may believe PCR %s at first use', (pcr) => {
    expect(read({ pcrs: { ...policy.pcrs, [pcr]: pin('first-use') } })().pcrs[pcr]?.from).toBe('first-use');
  });

  it.each(['1', '4', '11', '12'])('may not believe PCR %s at first use', (pcr) => {
    expect(read({ pcrs: { ...policy.pcrs, [pcr]: pin('first-use') } })).toThrow('may be of first use for PCR 0, 2, 7 alone');
  });

  it.each([
    ['a field that nobody knows', { secureboot: 'any' }, 'write "secure_boot"'],
    ['no endorsement key', { ek_name: undefined }, 'ek_name'],
    ['a PCR that is not quoted', { pcrs: { 16: pin('image') } }, 'must be a PCR from 0 to 15'],
    ['a pin without values', { pcrs: { 0: { from: 'image', values: [] } } }, 'values'],
    ['a value in capitals', { pcrs: { 0: { from: 'image', values: ['AA'.repeat(32)] } } }, 'lower-case hexadecimal'],
    ['an authority that is no SHA-256', { authorities: ['aa'.repeat(31)] }, 'authorities'],
    ['an authority that is more than a SHA-256', { authorities: ['aa'.repeat(33)] }, 'authorities'],
    ['a weak bank', { pcr_bank: 'sha1' }, 'pcr_bank'],
  ])('is refused with %s', (_, changes, found) => {
    expect(read(changes)).toThrow(found);
  });
});
