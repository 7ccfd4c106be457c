// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import { packageNames } from '../../../../qemu/root/prepare-root.ts';

it('reads the package list without its comments and empty lines', () => {
  expect(packageNames('# heading\n\nsystemd\nrauc # the updater\n')).toEqual(['systemd', 'rauc']);
});
