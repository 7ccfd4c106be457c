// SPDX-License-Identifier: Apache-2.0
import { mkdir, writeFile } from 'node:fs/promises';
import os from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readHostFacts } from '../../../../../agent/daemon/platform/linux/host-facts.ts';
import { temporaryFolder } from '../../../fakes/folder.ts';

describe('the facts of a host', () => {
  it('come from the kernel, os-release and machine-id', async () => {
    const root = await temporaryFolder();
    await mkdir(join(root, 'etc'));
    await writeFile(join(root, 'etc/os-release'), 'NAME="LamaDist"\nIMAGE_ID=lamadist-server\nIMAGE_VERSION="2026.1"\n');
    await writeFile(join(root, 'etc/machine-id'), '0123456789abcdef0123456789abcdef\n');
    expect(await readHostFacts(root)).toEqual({
      hostname: os.hostname(),
      machineId: '0123456789abcdef0123456789abcdef',
      imageId: 'lamadist-server',
      imageVersion: '2026.1',
      kernelRelease: os.release(),
      architecture: os.machine(),
    });
  });

  it('are empty where the image does not tell', async () => {
    const root = await temporaryFolder();
    await mkdir(join(root, 'etc'));
    await writeFile(join(root, 'etc/os-release'), 'NAME=Debian\n');
    expect(await readHostFacts(root)).toMatchObject({ machineId: '', imageId: '', imageVersion: '' });
    expect(await readHostFacts('/nowhere')).toMatchObject({ machineId: '', imageId: '', imageVersion: '' });
  });
});
