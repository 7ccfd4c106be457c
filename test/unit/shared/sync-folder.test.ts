// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { syncFolder } from '../../../agent/shared/sync-folder.ts';
import { temporaryFolder } from '../fakes/folder.ts';

test('cannot make the names survive in a folder that is not there', async () => {
  await expect(syncFolder(join(await temporaryFolder(), 'nowhere'))).rejects.toThrow('ENOENT');
});
