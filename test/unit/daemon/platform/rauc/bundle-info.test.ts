// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { toBundle } from '../../../../../agent/daemon/platform/rauc/bundle-info.ts';

const update = { compatible: 'c', version: '1', description: 'd', build: 'b' };

describe('a bundle in an answer of RAUC', () => {
  it('is read as RAUC 1.10 and later tell it', () => {
    const answer = {
      update,
      bundle: { format: 'verity', 'verity-size': 81920n },
      'manifest-hash': 'ab',
      images: [{ 'slot-class': 'rootfs', size: 9n }],
      meta: {},
    };
    expect(toBundle(answer, '/x')).toEqual({
      ...update,
      format: 'verity',
      manifestHash: 'ab',
      images: [{ slotClass: 'rootfs', sizeBytes: 9 }],
    });
  });

  it('is read as RAUC 1.9 tells it', () => {
    expect(toBundle({ update: { compatible: 'c', version: '1' } }, '/x')).toEqual({
      compatible: 'c',
      version: '1',
      description: '',
      build: '',
      format: '',
      manifestHash: '',
      images: [],
    });
  });

  it('has no hash to hold a plain bundle to, for RAUC refuses to', () => {
    expect(toBundle({ update, bundle: { format: 'plain' }, 'manifest-hash': 'ab' }, '/x').manifestHash).toBe('');
  });

  it('is refused without a version', () => {
    expect(() => toBundle({ update: { compatible: 'c' } }, '/x')).toThrowError(
      expect.objectContaining({ code: 'BUNDLE_INVALID', message: 'Cannot use "/x": its manifest names no version' }),
    );
  });

  it.each([[undefined], [{}], [{ update: 'x' }], [{ update: { version: '1' } }], [{ update, bundle: { format: 3 } }]])(
    'is not read from %j',
    (answer) => {
      expect(() => toBundle(answer, '/x')).toThrowError(expect.objectContaining({ code: 'RAUC_UNREADABLE' }));
    },
  );
});
