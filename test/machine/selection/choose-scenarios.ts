// SPDX-License-Identifier: Apache-2.0
import path from 'node:path';
import { beforeEach } from 'vitest';
import { IS_LONG_RUN, whyElsewhere } from './machine-scenarios.ts';

beforeEach(({ task, skip }) => {
  const { dir, base } = path.parse(task.file.filepath);
  const why = dir.endsWith(path.join('integration', 'node')) ? whyElsewhere(base, task.name, IS_LONG_RUN) : undefined;
  if (why !== undefined) skip(why);
});
