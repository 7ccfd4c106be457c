// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { mountUnitOf } from '../../../../../agent/daemon/platform/systemd/unit-name.ts';

/** As "systemd-escape --path --suffix=mount" of systemd 252 has them. */
describe('the mount unit of a path', () => {
  it.each([
    ['/', '-.mount'],
    ['/var', 'var.mount'],
    ['/var/lib/rancher', 'var-lib-rancher.mount'],
    ['/a-b/c.d', 'a\\x2db-c.d.mount'],
    ['/.hidden', '\\x2ehidden.mount'],
    ['/a/.b', 'a-.b.mount'],
    ['/home/täst dir', 'home-t\\xc3\\xa4st\\x20dir.mount'],
    ['/dev/disk/by-id/x', 'dev-disk-by\\x2did-x.mount'],
    ['//a//b/', 'a-b.mount'],
  ])('%s is %s', (path, unit) => {
    expect(mountUnitOf(path)).toBe(unit);
  });
});
