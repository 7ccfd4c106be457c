// SPDX-License-Identifier: Apache-2.0
// Takes the protos as they are for what clients may rely on: `npm run proto:accept`. From then on a change that would break
// them fails a test (test/architecture/proto.test.ts).
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const folder = dirname(fileURLToPath(import.meta.url));
const buf = join(folder, '../node_modules/.bin/buf');

const { stdout } = await promisify(execFile)(buf, ['build', folder, '-o', '-#format=txtpb', '--exclude-source-info'], {
  maxBuffer: 16 << 20,
});
await writeFile(join(folder, 'accepted.txtpb'), `# SPDX-License-Identifier: Apache-2.0\n${stdout}`);
