// SPDX-License-Identifier: Apache-2.0
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { readCheckDirectory } from '../../../../agent/daemon/health/check-directory.ts';

const SHIPPED = fileURLToPath(new URL('../../../../recipes-agent/recipes-lamadist/lamadist-agent/files/health.d', import.meta.url));

test('every check file that the image brings can be read, and some of them are required', async () => {
  const { checks, broken } = await readCheckDirectory([SHIPPED]);
  expect(broken).toEqual([]);
  expect(checks.filter(({ severity }) => severity === 'required')).not.toEqual([]);
});
