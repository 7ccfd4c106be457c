// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { readBundleMetadata, writeBundleMetadata } from '../../../../agent/lamactl/bundle/bundle-metadata.ts';

const GOOD = 'aa'.repeat(32);
const PINS = { '4': { from: 'image' as const, values: [GOOD, 'bb'.repeat(32)] }, '11': { from: 'image' as const, values: [GOOD] } };

describe('what a bundle says of its image', () => {
  it('is read as it was written', () => {
    expect(readBundleMetadata(writeBundleMetadata([['sha256', PINS]]), 'sha256')).toEqual(PINS);
    expect(readBundleMetadata(writeBundleMetadata([['sha256', PINS]]), 'sha384')).toEqual({});
  });

  it.each([
    ['a PCR that an image does not determine', `pcr-7-sha256=${GOOD}`],
    ['a PCR that there is not', `pcr-99-sha256=${GOOD}`],
    ['a PCR in another spelling', `pcr-04-sha256=${GOOD}`],
    ['a value with half a byte too much', `pcr-11-sha256=${GOOD} ${'a'.repeat(65)}`],
    ['a value of another bank', `pcr-11-sha256=${'a'.repeat(96)}`],
    ['more values than a policy may have', `pcr-11-sha256=${Array(65).fill(GOOD).join(' ')}`],
  ])('is refused with %s', (_, line) => {
    expect(() => readBundleMetadata(`[meta.lamadist]\n${line}\n`, 'sha256')).toThrow('has no values that PCR 4 or 11 can have');
  });
});
