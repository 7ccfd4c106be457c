// SPDX-License-Identifier: Apache-2.0
import { copyFile, cp, realpath, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { cacheDirectory } from '../../qemu/cache/cache-directory.ts';
import type { VirtualNode } from '../../qemu/driver.ts';
import { Homelab } from '../../qemu/homelab.ts';
import { run } from '../../qemu/host/command.ts';
import { until } from '../../qemu/host/deadline.ts';
import { ownFolder } from '../../qemu/host/own-folder.ts';
import { sayOnStderr } from '../../qemu/host/say.ts';
import { X86_64 } from '../../qemu/vm/architecture.ts';
import { vmDriver } from '../../qemu/vm/vm-driver.ts';
import { report } from '../integration/node/ask-node.ts';
import { everyDenial } from '../integration/node/denials.ts';
import { offlineImages } from './offline-images.ts';

const IMAGE = `lamadist-image-minimal-${X86_64.machine}.rootfs`;
const BUNDLE = `lamadist-bundle-minimal-${X86_64.machine}.raucb`;
const BOOT_MS = 20 * 60_000;
const UNPACK_MS = 10 * 60_000;
const QUICK_MS = 120_000;
const PAUSE_MS = 2_000;
/** For lamactl, which says how far the update came before it is ended. */
const UPDATE = '45m';
const UPDATE_MS = 50 * 60_000;

/** A folder as the virtual machine wants it: the disk, and the key that its firmware is to trust. */
async function imageFolder(work: string, images: string): Promise<string> {
  const folder = await ownFolder(cacheDirectory(), 'boot-disk-');
  await cp(path.join(work, 'keys/secure-boot.crt'), path.join(folder, 'keys/secure-boot.crt'));
  const disk = ['-o', path.join(folder, 'disk.img'), path.join(images, `${IMAGE}.wic.zst`)];
  await run(['zstd', '--decompress', '--force', '--sparse', '--quiet', ...disk], { timeoutMs: UNPACK_MS });
  return folder;
}

async function must(node: VirtualNode, command: string): Promise<string> {
  const { exitCode, stdout, stderr } = await node.shell(command, { timeoutMs: QUICK_MS });
  if (exitCode !== 0) throw new Error(`Cannot run "${command}" in the machine: ${stderr.trim()} ${stdout.trim()}`);
  return stdout.trim();
}

/** Has lamactl install the bundle that BitBake made, and watch it until the node has committed it. */
async function update(homelab: Homelab, bundle: string, say: (line: string) => void): Promise<void> {
  const answers = async () => (await homelab.lamactl(['version'])).exitCode === 0 || undefined;
  await until('the agent to answer', BOOT_MS, answers, PAUSE_MS);
  const { exitCode, all } = await homelab.lamactl(['install', bundle, '--wait', UPDATE], { timeout: UPDATE_MS });
  if (exitCode !== 0) throw new Error(`The update was not committed: ${all}`);
  const { booted, slots } = await report(homelab);
  say(`updated and committed: booted ${booted}; A ${slots.A}; B ${slots.B}`);
  if (booted !== 'B' || !slots.B?.includes('ok good primary')) throw new Error('The bundle did not make the machine commit its other slot');
}

/**
 * Boots the disk that BitBake made in a virtual machine, with Secure Boot and a TPM, and has lamactl update it with BitBake's
 * bundle, through trial and gate to the commit. `work` holds offline/ with the artifacts, and keys/. Leaves console and journal in
 * `work`, and throws, when a step fails.
 */
export async function bootDisk(work: string, say: (line: string) => void): Promise<void> {
  const images = offlineImages(work);
  const folder = await imageFolder(work, images);
  const homelab = await Homelab.create(sayOnStderr, vmDriver);
  // Bundles are of the authority that BitBake's image trusts, and the administrator has to know it, too.
  await copyFile(path.join(work, 'keys/bundle-ca.crt'), path.join(homelab.folder, 'keyring.pem'));
  const node = await homelab.addNode('bitbake', { version: '0', path: folder });
  try {
    await node.start();
    const first = await node.waitForBoot({ timeoutMs: BOOT_MS });
    say(`booted slot ${first.bootname}, version ${first.imageVersion}; ${await must(node, 'getenforce')}`);
    say(await must(node, 'veritysetup status root | sed -n "s/^ *\\(type\\|status\\|root hash\\): */\\1 /p"'));
    await update(homelab, await realpath(path.join(images, BUNDLE)), say);
    const denied = await everyDenial(node);
    if (denied.length > 0) throw new Error(`SELinux denied what the image does: ${denied.join('\n')}`);
    say('SELinux denied nothing');
  } catch (error) {
    const { console, journal } = await node.logs();
    await writeFile(path.join(work, 'boot-disk.log'), `${console}\n${journal}`);
    say(`console and journal: ${path.join(work, 'boot-disk.log')}`);
    throw error;
  } finally {
    await homelab.remove();
    await rm(folder, { recursive: true, force: true });
  }
}
