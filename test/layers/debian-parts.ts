// SPDX-License-Identifier: Apache-2.0
// Collects what BitBake makes an image of where it cannot compile: the parts of the virtual node, for `test:yocto -- --parts`.
// usage, as root, after `npm run build`: npx tsx test/layers/debian-parts.ts FOLDER
import { chmod, copyFile, mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import { run } from '../../qemu/host/command.ts';
import { withPrivateMounts } from '../../qemu/host/private-mounts.ts';
import { sayOnStderr } from '../../qemu/host/say.ts';
import { inRoot } from '../../qemu/root/in-root.ts';
import type { Root } from '../../qemu/root/prepare-root.ts';
import { buildVmImage } from '../../qemu/vm/image/build-vm-image.ts';
import { initramfs } from '../../qemu/vm/image/parts.ts';
import { kernelFile } from '../../qemu/vm/kernel-file.ts';
import { vmRoots } from '../../qemu/vm/roots.ts';
import { installerInitramfs } from './installer-initramfs.ts';
import { REPOSITORY } from './kas-build.ts';

const SLOW_MS = 10 * 60_000;
const LOADERS = ['linuxx64.efi.stub', 'systemd-bootx64.efi'];

async function collect(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const { tools } = await vmRoots(sayOnStderr);
  const image = await buildVmImage({ version: '0', agent: path.join(REPOSITORY, 'dist/lamadist-agent.js') }, sayOnStderr);

  const tar = [
    'sh',
    path.join(import.meta.dirname, 'debian-parts.sh'),
    path.join(image.path, 'rootfs.img'),
    path.join(folder, 'root.tar'),
  ] as const;
  await run(withPrivateMounts([...tar]), { timeoutMs: SLOW_MS });
  await copyFile(await initramfs(tools, sayOnStderr), path.join(folder, 'initramfs.cpio.zst'));
  await copyFile(await installerInitramfs(tools), path.join(folder, 'installer.cpio.zst'));
  await copyFile(await kernelFile(tools), path.join(folder, 'vmlinuz'));
  for (const name of LOADERS) await copyFile(path.join(tools.tools, 'usr/lib/systemd/boot/efi', name), path.join(folder, name));
  await copyFile(path.join(tools.tools, 'usr/bin/ukify'), path.join(folder, 'ukify'));
  await collectRauc(tools, path.join(folder, 'rauc'));
  // BitBake reads them as an ordinary user.
  for (const name of await readdir(folder)) if (name !== 'rauc') await chmod(path.join(folder, name), 0o644);
}

/** RAUC with all that it loads: the machine's own may be older than the first that keeps a bundle's metadata, 1.9. */
async function collectRauc(tools: Root, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const loaded = await run(inRoot(tools, folder, ['ldd', '/usr/bin/rauc']), { timeoutMs: SLOW_MS });
  const files = ['/usr/bin/rauc', ...[...loaded.matchAll(/(\/\S+) \(0x/g)].map(([, file = '']) => file)];
  for (const file of files) {
    const copy = path.join(folder, path.basename(file));
    await copyFile(path.join(tools.tools, file), copy);
    await chmod(copy, 0o755);
  }
}

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  process.stderr.write('usage: debian-parts FOLDER\n');
  process.exitCode = 2;
} else {
  await collect(path.resolve(folder));
}
