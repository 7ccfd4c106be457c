// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { NodeRequest } from '../../../../qemu/driver.ts';
import { arm64Driver, resumedVmDriver, vmDriver } from '../../../../qemu/vm/vm-driver.ts';

const request = (options: Partial<NodeRequest>): NodeRequest => ({
  name: 'attic',
  image: { version: '1', path: '/nonexistent' },
  provision: async () => [],
  say: () => {},
  ...options,
});

describe.each([
  ['a machine', vmDriver],
  ['one that is resumed', resumedVmDriver],
  ['one for arm64', arm64Driver],
] as const)('%s', (_, driver) => {
  it.each([
    [{ maxTries: 3 }, "Cannot make attic with maxTries 3: a virtual machine's firmware gives a slot one try"],
    [{ slotBytes: 1 << 20 }, "Cannot make attic with slotBytes 1048576: a virtual machine's slots are those of wks/"],
  ])('is refused with %o, which it could not have', async (options, message) => {
    await expect(driver.createNode(request(options))).rejects.toThrow(message);
  });
});
