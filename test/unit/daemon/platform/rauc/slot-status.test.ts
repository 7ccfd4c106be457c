// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { toSlots } from '../../../../../agent/daemon/platform/rauc/slot-status.ts';

/** As RAUC 1.13 answered after an install to rootfs.1, without the variants. */
const ANSWER = [
  [
    'rootfs.1',
    {
      class: 'rootfs',
      'boot-status': 'bad',
      type: 'raw',
      bootname: 'B',
      device: '/dev/vda3',
      state: 'inactive',
      status: 'ok',
      sha256: 'ab',
      size: 8388608n,
      'bundle.version': '2.0',
      'bundle.hash': '0a5f',
      'installed.transaction': '5d90',
      'installed.timestamp': '2026-11-21T02:55:15Z',
      'installed.count': 3,
    },
  ],
  ['esp.0', { class: 'esp', parent: 'rootfs.0', type: 'raw', state: 'active', device: '/dev/vda1' }],
  ['rootfs.0', { class: 'rootfs', 'boot-status': 'good', type: 'raw', bootname: 'A', device: '/dev/vda2', state: 'booted' }],
];

describe('the slots in an answer of RAUC', () => {
  it('are the bootable ones, by name', () => {
    expect(toSlots(ANSWER, 'rootfs.0')).toEqual([
      {
        name: 'rootfs.0',
        bootname: 'A',
        device: '/dev/vda2',
        group: [
          { name: 'esp.0', slotClass: 'esp', device: '/dev/vda1' },
          { name: 'rootfs.0', slotClass: 'rootfs', device: '/dev/vda2' },
        ],
        booted: true,
        primary: true,
        bootStatus: 'good',
        version: '',
        status: '',
      },
      {
        name: 'rootfs.1',
        bootname: 'B',
        device: '/dev/vda3',
        group: [{ name: 'rootfs.1', slotClass: 'rootfs', device: '/dev/vda3' }],
        booted: false,
        primary: false,
        bootStatus: 'bad',
        version: '2.0',
        status: 'ok',
        installedAt: new Date('2026-11-21T02:55:15Z'),
        transactionId: '5d90',
        manifestHash: '0a5f',
      },
    ]);
  });

  it('are sorted by their numbers', () => {
    const slot = { bootname: 'x', device: '/', state: 'inactive' };
    const answer = ['rootfs.10', 'rootfs.2', 'rootfs.1'].map((name) => [name, slot]);
    expect(toSlots(answer, '').map(({ name }) => name)).toEqual(['rootfs.1', 'rootfs.2', 'rootfs.10']);
  });

  it('have an unknown boot status when RAUC could not ask the boot loader', () => {
    expect(toSlots([['a.0', { bootname: 'A', device: '/', state: 'booted' }]], '')[0]?.bootStatus).toBe('unknown');
  });

  it.each([
    ['nothing', undefined],
    ['a text', 'rootfs.0'],
    ['a slot without a status', [['rootfs.0']]],
    ['a slot whose status is a text', [['rootfs.0', 'good']]],
    ['a slot without a device', [['rootfs.0', { bootname: 'A', state: 'booted' }]]],
    ['a slot whose version is a number', [['rootfs.0', { bootname: 'A', device: '/', state: 'booted', 'bundle.version': 2 }]]],
    [
      'a slot that was installed at no time',
      [['rootfs.0', { bootname: 'A', device: '/', state: 'booted', 'installed.timestamp': 'soon' }]],
    ],
  ])('are not read from %s', (_, answer) => {
    expect(() => toSlots(answer, '')).toThrowError(
      expect.objectContaining({ code: 'RAUC_UNREADABLE', message: expect.stringMatching(/^Cannot read .* from RAUC's answer: /) }),
    );
  });
});
