// SPDX-License-Identifier: Apache-2.0
import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { inventoryReader } from '../../../../../agent/daemon/platform/systeminformation/inventory-reader.ts';
import { systemClock } from '../../../../../agent/daemon/timing/clock.ts';
import { FakeClock } from '../../../fakes/clock.ts';
import { temporaryFolder } from '../../../fakes/folder.ts';

const inTime = () => AbortSignal.timeout(20_000);
const PRODUCT = { vendor: 'Example', name: 'Box 3', version: '', serial: '-' };
const FOUND = {
  system: PRODUCT,
  board: { ...PRODUCT, vendor: 'To be filled by O.E.M.', serial: 'Default string' },
  firmware: { vendor: 'Example', version: null, released: '2026' },
  processor: { vendor: 'AMD', model: ' EPYC ', cores: 2, threads: 0 },
  memoryBytes: 1024,
  disks: [{ name: '/dev/vda', vendor: '', model: '', serial: '', type: 'HD', sizeBytes: 'large' }],
  networkInterfaces: [
    { name: 'eth0', macAddress: '02::', addresses: ['10.0.0.5/24'], state: 'unknown', megabitsPerSecond: -1, virtual: false },
  ],
  problems: [],
};

const printing = (output: string) => ['/bin/sh', '-c', `cat <<'END'\n${output}\nEND`] as const;

/** A command that counts in a file how often it was run. */
async function counting(output: string) {
  const folder = await temporaryFolder();
  const command = ['/bin/sh', '-c', `echo x >> ${folder}/runs; sleep 0.2; cat <<'END'\n${output}\nEND`] as const;
  return { command, runs: async () => (await readFile(join(folder, 'runs'), 'utf8')).length / 2 };
}

describe('the inventory', () => {
  it('is what was found, with what is unknown as such', async () => {
    const clock = new FakeClock();
    const inventory = await inventoryReader(printing(JSON.stringify(FOUND)), clock)(false, inTime());
    expect(inventory).toEqual({
      collectedAt: clock.now(),
      system: { ...PRODUCT, serial: '' },
      board: { vendor: '', name: 'Box 3', version: '', serial: '' },
      firmware: { vendor: 'Example', version: '', released: '2026' },
      processor: { vendor: 'AMD', model: 'EPYC', cores: 2, threads: null },
      memoryBytes: 1024,
      disks: [{ name: '/dev/vda', vendor: '', model: '', serial: '', type: 'HD', sizeBytes: null }],
      networkInterfaces: [
        { name: 'eth0', macAddress: '02::', addresses: ['10.0.0.5/24'], state: '', megabitsPerSecond: null, virtual: false },
      ],
      problems: [],
    });
  });

  it('is looked for once, by one process, however many ask, and again when that is asked for', async () => {
    const { command, runs } = await counting(JSON.stringify(FOUND));
    const read = inventoryReader(command, systemClock);
    await Promise.all([read(false, inTime()), read(false, inTime()), read(true, inTime())]);
    await read(false, inTime());
    expect(await runs()).toBe(1);
    await read(true, inTime());
    expect(await runs()).toBe(2);
  });

  it('survives what could not be looked at', async () => {
    const nothing = { system: {}, board: {}, firmware: {}, processor: {}, problems: ['disks: lsblk is missing'] };
    const inventory = await inventoryReader(printing(JSON.stringify(nothing)), systemClock)(false, inTime());
    expect(inventory).toMatchObject({ memoryBytes: null, disks: [], problems: ['disks: lsblk is missing'], system: { name: '' } });
  });

  it.each([
    ['that prints nonsense', printing('nonsense')],
    ['that fails', ['/bin/sh', '-c', 'exit 3']],
    ['that is not there', ['/nonexistent']],
    ['that prints without end', ['/bin/sh', '-c', 'yes']],
  ] as const)('is a failure of a process %s, and looked for again', async (_name, command) => {
    const read = inventoryReader(command as readonly [string, ...string[]], systemClock);
    await expect(read(false, inTime())).rejects.toThrow();
    await expect(read(false, inTime())).rejects.toThrow();
  });

  it('is not waited for by whoever went', async () => {
    const read = inventoryReader(['/bin/sh', '-c', 'sleep 1'], systemClock);
    await expect(read(false, AbortSignal.timeout(50))).rejects.toMatchObject({ name: 'TimeoutError' });
  });

  it('is given up after half a minute, with all that was started for it', async () => {
    const folder = await temporaryFolder();
    const clock = new FakeClock();
    const read = inventoryReader(['/bin/sh', '-c', `(sleep 3; touch ${folder}/alive) & sleep 60`], clock)(false, inTime());
    const given = expect(read).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    await clock.advance(30_000);
    await given;
    await new Promise((resolve) => setTimeout(resolve, 3_500));
    await expect(access(join(folder, 'alive'))).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
