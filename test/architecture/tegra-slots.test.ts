// SPDX-License-Identifier: Apache-2.0
// What RAUC's back end for Tegra does with the firmware's slots. nvbootctrl, which only a Jetson has, is played by a script: what it
// prints is what Jetson Linux 36 was seen to print.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { beforeEach, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../unit/fakes/folder.ts';

const BACKEND = path.join(import.meta.dirname, '../../meta-lamadist/recipes-core/rauc/files/backend.sh');
const STATUS_OF_B = 'RootfsStatusSlotB-781e084c-a330-417c-b678-38e696380cb9';
const NORMAL = Buffer.from([7, 0, 0, 0, 0, 0, 0, 0]);
const UNBOOTABLE = Buffer.from([7, 0, 0, 0, 255, 0, 0, 0]);
const NVBOOTCTRL = `#!/bin/sh
case "$*" in
  dump-slots-info) printf 'Current version: 36.5.0\\nCapsule update status: 0\\nCurrent bootloader slot: A\\nActive bootloader slot: %s\\nnum_slots: 2\\nslot: 0,             status: normal\\nslot: 1,             status: normal\\n' "$ACTIVE" ;;
  '-t rootfs dump-slots-info') printf 'Current rootfs slot: A\\nActive rootfs slot: A\\nnum_slots: 2\\nslot: 0,             retry_count: 3,             status: normal\\nslot: 1,             retry_count: 0,             status: unbootable\\n' ;;
  *) echo "$*" >>"$CALLS" ;;
esac
`;

let folder = '';
beforeEach(async () => {
  folder = await temporaryFolder();
  await mkdir(path.join(folder, 'bin'));
  await writeFile(path.join(folder, 'bin/nvbootctrl'), NVBOOTCTRL, { mode: 0o755 });
  await writeFile(path.join(folder, 'bin/chattr'), '#!/bin/sh\n', { mode: 0o755 });
});

async function backend(argv: readonly string[], active = 'A') {
  const env = { PATH: `${folder}/bin:/usr/bin:/bin`, LAMADIST_EFIVARS: folder, CALLS: path.join(folder, 'calls'), ACTIVE: active };
  return execa('sh', [BACKEND, ...argv], { env, extendEnv: false, reject: false });
}
const calls = async () => (await readFile(path.join(folder, 'calls'), 'utf8')).trim().split('\n');

describe("RAUC's back end for Tegra", () => {
  it('says which slot runs, and which one is next', async () => {
    expect((await backend(['get-current'], 'B')).stdout).toBe('A');
    expect((await backend(['get-primary'], 'B')).stdout).toBe('B');
  });

  it('fails when nvbootctrl names no slot, rather than guess', async () => {
    const { exitCode, stderr } = await backend(['get-primary'], 'unknown');
    expect(exitCode).toBe(1);
    expect(stderr).toContain('nvbootctrl calls none "Active"');
  });

  it('calls a slot bad whose root has used up its tries', async () => {
    expect((await backend(['get-state', 'A'])).stdout).toBe('good');
    expect((await backend(['get-state', 'B'])).stdout).toBe('bad');
  });

  it('takes back that a slot is shut out, when it is the one to start', async () => {
    await writeFile(path.join(folder, STATUS_OF_B), UNBOOTABLE);
    expect((await backend(['set-primary', 'B'])).exitCode).toBe(0);
    expect(await readFile(path.join(folder, STATUS_OF_B))).toEqual(NORMAL);
    expect(await calls()).toEqual(['set-active-boot-slot 1']);
  });

  it('confirms a slot only when RAUC says that it is good', async () => {
    expect((await backend(['set-state', 'B', 'bad'])).exitCode).toBe(0);
    expect((await backend(['set-state', 'A', 'good'])).exitCode).toBe(0);
    expect(await calls()).toEqual(['verify']);
  });

  it('refuses a slot that there is not, and touches nothing', async () => {
    expect((await backend(['set-primary', 'C'])).exitCode).toBe(1);
    await expect(calls()).rejects.toThrow('ENOENT');
  });
});
