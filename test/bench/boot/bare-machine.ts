// SPDX-License-Identifier: Apache-2.0
import { copyFile, cp, rm } from 'node:fs/promises';
import path from 'node:path';
import { cacheDirectory } from '../../../qemu/cache/cache-directory.ts';
import { run } from '../../../qemu/host/command.ts';
import { until } from '../../../qemu/host/deadline.ts';
import { ownFolder } from '../../../qemu/host/own-folder.ts';
import { sayOnStderr } from '../../../qemu/host/say.ts';
import { expand } from '../../../qemu/layers/bitbake-text.ts';
import { inRoot, WORK } from '../../../qemu/root/in-root.ts';
import { prepareRoot } from '../../../qemu/root/prepare-root.ts';
import { kernelFile } from '../../../qemu/vm/kernel-file.ts';
import { layerVariables } from '../../../qemu/vm/layers.ts';
import { VirtualMachine } from '../../../qemu/vm/machine/virtual-machine.ts';
import { vmRoots } from '../../../qemu/vm/roots.ts';
import type { BootPhases } from './phases.ts';

const HERE = import.meta.dirname;
const SCRIPT = 'bare-initramfs.sh';
const BUILD_MS = 120_000;
const BOOT_MS = 300_000;
const THERE = /The bare shell is there after ([\d.]+) s/;

/** What nodes are compared with: the same kernel on the same machine, with an initramfs that is a shell and nothing else. */
export class BareMachine {
  private constructor(private readonly folder: string) {}

  /** `nodeImage` is the folder of the image whose keys the firmware is to trust. */
  static async create(nodeImage: string): Promise<BareMachine> {
    const { tools } = await vmRoots(sayOnStderr);
    const busybox = await prepareRoot(sayOnStderr, path.join(HERE, 'packages.txt'));
    const folder = await ownFolder(cacheDirectory(), 'bare-');
    await copyFile(await kernelFile(tools), path.join(folder, 'vmlinuz'));
    await copyFile(path.join(busybox.tools, 'usr/bin/busybox'), path.join(folder, 'busybox'));
    await cp(path.join(nodeImage, 'keys'), path.join(folder, 'keys'), { recursive: true });
    await copyFile(path.join(HERE, SCRIPT), path.join(folder, SCRIPT));
    const variables = await layerVariables();
    // biome-ignore lint/suspicious/noTemplateCurlyInString: BitBake's
    const commandLine = expand('loglevel=4 ${LAMADIST_CONSOLE}', variables);
    const command = ['sh', `${WORK}/${SCRIPT}`, WORK, variables.LAMADIST_ESP_MIB!, commandLine];
    await run(inRoot(tools, folder, command), { timeoutMs: BUILD_MS });
    return new BareMachine(folder);
  }

  /** Boots it once, from a power button to a shell. */
  async boot(): Promise<BootPhases> {
    const machine = await VirtualMachine.create({ name: 'bare', image: { version: '0', path: this.folder }, say: sayOnStderr });
    try {
      await machine.start();
      const seconds = await until('the bare shell', BOOT_MS, async () => THERE.exec(await machine.consoleLog())?.[1]);
      const [readyMs, kernelMs] = [machine.poweredMs, Number(seconds) * 1000];
      return { firmwareMs: readyMs - kernelMs, kernelMs, readyMs };
    } finally {
      await machine.stop();
    }
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}
