// SPDX-License-Identifier: Apache-2.0
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../unit/fakes/folder.ts';

const IMAGE_CLASS = path.join(import.meta.dirname, '../../meta-lamadist/classes-recipe/lamadist-image.bbclass');
/** What OpenEmbedded's read_only_rootfs_hook leaves in an image without keys. */
const OF_A_READ_ONLY_ROOT = `SYSCONFDIR=\${SYSCONFDIR:-/var/run/ssh}
SSHD_OPTS='-f /etc/ssh/sshd_config_readonly'
`;

it("an image's sshd keeps its host keys where they stay, and reads the settings that an administrator can change", async () => {
  const layer = await readFile(IMAGE_CLASS, 'utf8');
  const root = await temporaryFolder();
  await mkdir(path.join(root, 'etc/default'), { recursive: true });
  await writeFile(path.join(root, 'etc/default/ssh'), `# of the package\n${OF_A_READ_ONLY_ROOT}`);
  const [, body = 'exit 1'] = /^lamadist_keep_host_keys\(\) \{\n([^}]*(?:\$\{[^}]*\}[^}]*)*)\n\}$/m.exec(layer) ?? [];
  await execa('sh', ['-euc', body], { env: { IMAGE_ROOTFS: root, sysconfdir: '/etc' } });
  expect(layer).toMatch(/^ROOTFS_POSTPROCESS_COMMAND:append = " lamadist_keep_host_keys"$/m);
  expect(await readFile(path.join(root, 'etc/default/ssh'), 'utf8')).toBe('# of the package\n');
});
