// SPDX-License-Identifier: Apache-2.0
import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { requireBundleFile } from '../../../../../agent/daemon/platform/rauc/bundle-file.ts';
import { temporaryFolder } from '../../../fakes/folder.ts';

describe('a location that RAUC is to open', () => {
  it('may be a file, a link to one, or no path at all', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'v2.raucb'), 'bundle');
    await symlink('v2.raucb', join(folder, 'link.raucb'));
    for (const location of [join(folder, 'v2.raucb'), join(folder, 'link.raucb'), 'http://127.0.0.1:1/bundle.raucb']) {
      await requireBundleFile(location);
    }
  });

  it('is refused when it is missing, a folder or a device', async () => {
    const folder = await temporaryFolder();
    await expect(requireBundleFile(join(folder, 'missing'))).rejects.toMatchObject({ code: 'BUNDLE_NOT_FOUND' });
    await expect(requireBundleFile(folder)).rejects.toMatchObject({ code: 'BUNDLE_INVALID' });
    await expect(requireBundleFile('/dev/null')).rejects.toMatchObject({ code: 'BUNDLE_INVALID' });
  });
});
