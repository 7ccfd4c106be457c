// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto';
import { chmod, chown, mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ProvisionedFile } from '../driver.ts';
import { run } from '../host/command.ts';

/** As the agent's sysusers file says. */
const AGENT_ID = 874;
const DATA_BYTES = 512 << 20;

/** Makes the data file system of a new node: empty, but for the upper layer of /etc with these files in it. */
export async function provisionData(image: string, hostname: string, files: readonly ProvisionedFile[]): Promise<void> {
  const tree = await mkdtemp(path.join(tmpdir(), 'lamadist-data-'));
  try {
    await chmod(tree, 0o755);
    await mkdir(path.join(tree, 'lib/etc/upper'), { recursive: true });
    await mkdir(path.join(tree, 'lib/etc/work'));
    for (const file of [...(await everyNode(hostname)), ...files]) await place(path.join(tree, 'lib/etc/upper'), file);
    await writeFile(image, '');
    await truncate(image, DATA_BYTES);
    await run(['mkfs.ext4', '-q', '-m', '0', '-d', tree, '-J', 'size=8', '-E', 'lazy_itable_init=0,lazy_journal_init=0', image], {
      timeoutMs: 60_000,
    });
  } finally {
    await rm(tree, { recursive: true, force: true });
  }
}

async function everyNode(hostname: string): Promise<ProvisionedFile[]> {
  return [
    { path: '/etc/hostname', content: `${hostname}\n` },
    { path: '/etc/hosts', content: '127.0.0.1 localhost\n::1 localhost\n' },
    { path: '/etc/machine-id', content: `${randomUUID().replaceAll('-', '')}\n`, mode: 0o444 },
    // The network is the host's, and so is who answers questions about names.
    { path: '/etc/resolv.conf', content: await readFile('/etc/resolv.conf').catch(() => '') },
  ];
}

async function place(upper: string, file: ProvisionedFile): Promise<void> {
  const target = path.join(upper, path.relative('/etc', file.path));
  await mkdir(path.dirname(target), { recursive: true, mode: 0o755 });
  await writeFile(target, file.content);
  await chmod(target, file.mode ?? 0o644);
  if (file.owner === 'lamadist-agent') await chown(target, AGENT_ID, AGENT_ID);
}
