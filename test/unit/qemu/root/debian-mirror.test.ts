// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { pickMirror } from '../../../../qemu/root/debian-mirror.ts';

describe('the Debian mirror', () => {
  it("is the main archive among apt's sources, wherever it stands", () => {
    const targets = [
      'https://deb.example.org/node_20.x/ main',
      'http://mirror.example.org/debian-security/ main',
      'http://mirror.example.org/debian/ non-free-firmware',
      'http://mirror.example.org/debian/ main',
    ];
    expect(pickMirror(targets.join('\n'))).toBe('http://mirror.example.org/debian/');
  });

  it('is none where apt has only other sources', () => {
    expect(pickMirror('http://archive.example.org/ubuntu/ main')).toBeUndefined();
  });
});
