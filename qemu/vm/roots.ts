// SPDX-License-Identifier: Apache-2.0
import path from 'node:path';
import type { Say } from '../host/say.ts';
import { type Foreign, prepareRoot, type Root } from '../root/prepare-root.ts';
import { type Architecture, X86_64 } from './architecture.ts';

export interface VmRoots {
  /** What signs and packs, on any processor. */
  readonly tools: Root;
  /** Where kernel, initramfs, stub and loader are from. */
  readonly parts: Root;
  /** What runs in the machine. */
  readonly node: Root;
  /** What runs the machine. */
  readonly machine: Root;
}

const ARM64 = path.join(import.meta.dirname, 'arm64');
const list = (name: string) => path.join(import.meta.dirname, name);

/** The Debian roots of the virtual machine. */
export async function vmRoots(say: Say, { name }: Architecture = X86_64): Promise<VmRoots> {
  const tools = await prepareRoot(say, list('tools-packages.txt'));
  if (name === 'x86-64') return { tools, parts: tools, node: await prepareRoot(say, list('node-packages.txt')), machine: tools };
  const machine = await prepareRoot(say, list('arm64/machine-packages.txt'));
  const foreign = emulatedBy(machine);
  const parts = await prepareRoot(say, list('arm64/parts-packages.txt'), foreign);
  return { tools, parts, node: await prepareRoot(say, list('node-packages.txt'), foreign), machine };
}

/** Programs for arm64, by QEMU's emulator of one program. */
function emulatedBy(machine: Root): Foreign {
  const emulator = path.join(machine.tools, 'usr/bin/qemu-aarch64');
  return { architecture: 'arm64', around: (command) => ['sh', path.join(ARM64, 'run-arm64.sh'), emulator, ...command] };
}
