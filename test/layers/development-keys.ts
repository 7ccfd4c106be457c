// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import path from 'node:path';
import { execa } from 'execa';
import { REPOSITORY } from './kas-build.ts';

/** The folder of a work folder's development keys: made now, if there are none yet. */
export async function developmentKeys(work: string): Promise<string> {
  const keys = path.join(work, 'keys');
  if (!existsSync(keys)) await execa(path.join(REPOSITORY, 'meta-lamadist/scripts/make-development-keys'), [keys], { timeout: 120_000 });
  return keys;
}
