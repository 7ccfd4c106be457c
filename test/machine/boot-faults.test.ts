// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Image } from '../../qemu/image/image-recipe.ts';
import type { ImageFile } from '../../qemu/image/product-files.ts';
import type { TamperPlace } from '../../qemu/vm/machine/disk/tamper.ts';
import type { VirtualMachine } from '../../qemu/vm/machine/virtual-machine.ts';
import { COMMITTED, journaled, ROLLED_BACK, report, shellOk } from '../integration/node/ask-node.ts';
import { eventually, QUICK, SCENARIO_MS } from '../integration/node/kind-of-node.ts';
import { onNode } from '../integration/node/scenario.ts';
import { onlyInAll } from './selection/machine-scenarios.ts';
import { whileOff } from './while-off.ts';

const LUKS2_BYTES = 16 << 20;
/** EROFS begins at octet 1024, behind LUKS2's header. */
const ROOT = { partition: 'root-b', offsetBytes: LUKS2_BYTES + 1100 } as const;

/** Random enough to be kept as it is, and the same each time, so that its image is. */
const LATE = Buffer.concat(Array.from({ length: 1024 }, (_, index) => createHash('sha512').update(`late ${index}`).digest()));
const READ_LATE: readonly ImageFile[] = [
  { path: '/usr/share/lamadist-test/late', content: LATE },
  {
    path: '/usr/lib/systemd/system/lamadist-boot-succeeded.service.d/late.conf',
    content: '[Service]\nExecStartPost=/usr/bin/sha256sum /usr/share/lamadist-test/late\n',
  },
];
const SUCCEEDS = 'timeout 100 sh -c "until systemctl is-active --quiet lamadist-boot-succeeded.service; do sleep 1; done"';
/** Succeeds when this boot followed one that ended by itself, and its whole root was read. */
const SCRUBBED = 'test "$(systemctl show --property=ExecMainExitTimestampMonotonic --value lamadist-root-scrub.service)" -gt 0';

/** Where a file's octets stand in the root of an image; they are neither compressed nor apart. */
async function offsetInRoot({ path: folder }: Image, content: Buffer): Promise<number> {
  const offset = (await readFile(path.join(folder, 'rootfs.img'))).indexOf(content.subarray(content.length / 2, content.length / 2 + 1024));
  if (offset < 0) throw new Error('Cannot tell where the file is in the root');
  return offset;
}

type Disk = VirtualMachine['diskAtRest'];
const flip = (place: TamperPlace) => (disk: Disk) => disk.tamper(place);

const BAD_SLOTS: readonly (readonly [what: string, tamper: (disk: Disk) => Promise<void>, seen: RegExp])[] = [
  ['has a UKI that somebody else signed', (disk) => disk.signWithForeignKey('b'), /Access Denied|Security Violation/i],
  ['has a changed hash tree', flip({ partition: 'root-b-verity', offsetBytes: 4100 }), /dm-verity device corrupted/],
];

describe('a new slot', { timeout: SCENARIO_MS }, () => {
  it.each(BAD_SLOTS)('that %s is left for the one before, and the update says that it never reached userspace', (_, tamper, seen) =>
    onNode({}, async (scenario) => {
      const { homelab, node, bundle } = scenario;
      // lamactl leaves an update that waits for somebody to reboot.
      expect((await homelab.lamactl(['install', '--on-node', bundle, '--reboot', 'manual'])).exitCode).toBe(12);
      await whileOff(scenario, tamper);
      expect(await report(homelab)).toMatchObject(ROLLED_BACK);
      expect(await journaled(node)).toMatchObject({ phase: 'rolled-back', reason: { code: 'NEVER_REACHED_USERSPACE' } });
      expect(await node.consoleLog()).toMatch(seen);
    }),
  );
});

/** The boots of a console that ended as dm-verity panicked. */
const panics = (console: string): string[] =>
  console.split('\n── boot ').filter((boot) => boot.includes('Kernel panic') && boot.includes('dm-verity device corrupted'));

describe('a slot that rots after its commit', { timeout: 2 * SCENARIO_MS }, () => {
  it('is tried three times, and then the node comes up on the other one', () =>
    onNode({}, async (scenario) => {
      const { homelab, node, bundle } = scenario;
      expect((await homelab.lamactl(['install', '--on-node', bundle])).exitCode).toBe(0);
      expect(await report(homelab)).toMatchObject(COMMITTED);
      const before = node.bootCount;
      const said = (await node.consoleLog()).length;
      await whileOff(scenario, flip(ROOT));
      expect(await report(homelab)).toMatchObject({ version: '1', booted: 'A' });
      expect(node.bootCount - before).toBe(5);
      const console = (await node.consoleLog()).slice(said);
      expect(console).toContain('The last 3 boots did not succeed');
      expect(panics(console)).toHaveLength(3);
    }));

  it('where nothing reads it before a boot is complete, is found by the scrub of the boots after that one', ({ skip }) => {
    onlyInAll(skip);
    return onNode({ files: READ_LATE }, async (scenario) => {
      const { homelab, node, bundle } = scenario;
      expect((await homelab.lamactl(['install', '--on-node', bundle])).exitCode).toBe(0);
      // It was shut down before, and not cut off, and is now.
      await shellOk(node, SUCCEEDS);
      expect((await node.shell(SCRUBBED, QUICK)).exitCode).toBe(1);
      const before = node.bootCount;
      const offsetBytes = await offsetInRoot(await homelab.image('2', { files: READ_LATE }), LATE);
      await whileOff(scenario, flip({ partition: 'root-b', offsetBytes: LUKS2_BYTES + offsetBytes }));
      await eventually('the node to be up on the other slot', SCENARIO_MS, async () => {
        return (await report(homelab).catch(() => undefined))?.booted === 'A' || undefined;
      });
      // One was complete, three were not, the fifth led to the sixth.
      expect(node.bootCount - before).toBe(6);
      const console = await node.consoleLog();
      expect(console).toContain('The last 3 boots did not succeed');
      expect(panics(console)).toHaveLength(4);
    });
  });
});
