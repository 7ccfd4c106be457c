// SPDX-License-Identifier: Apache-2.0
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hasNetworkBlockDevice } from '../../../../../agent/daemon/platform/linux/network-block-device.ts';
import { temporaryFolder } from '../../../fakes/folder.ts';

test('RAUC can stream where the kernel has a network block device, and nowhere else', async () => {
  const sys = await temporaryFolder();
  expect(await hasNetworkBlockDevice(sys)).toBe(false);
  await mkdir(join(sys, 'class/block/nbd0'), { recursive: true });
  expect(await hasNetworkBlockDevice(sys)).toBe(true);
});
