// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { cacheDirectory } from '../../qemu/cache-directory.ts';
import { until } from '../../qemu/deadline.ts';
import { inRoot, WORK } from '../../qemu/root/in-root.ts';
import { sayOnStderr } from '../../qemu/say.ts';
import { vmRoots } from '../../qemu/vm/image/build-vm-image.ts';
import { REPOSITORY } from './kas-build.ts';

const MACHINE = 'lamadist-x86-64';
const UKI = `lamadist-image-installer-${MACHINE}.efi`;
const DISK = '/dev/vda';
const BOOT_MS = 20 * 60_000;
const PAUSE_MS = 2_000;
const EMPTY = Buffer.alloc(64 << 20);
/** A PC without a TPM and with Secure Boot off, whose network's answer names a script: iPXE on its stick fetches and runs it. */
const QEMU = [
  ...['qemu-system-x86_64', '-nodefaults', '-no-user-config', '-display', 'none'],
  ...['-machine', 'q35', '-accel', 'tcg,thread=multi', '-cpu', 'qemu64,+ssse3,+sse4.1,+sse4.2,+popcnt,+cx16', '-smp', '2', '-m', '1024'],
  ...['-drive', 'if=pflash,format=raw,unit=0,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd'],
  ...['-drive', `if=pflash,format=raw,unit=1,file=${WORK}/vars.fd`],
  ...['-drive', `if=virtio,format=raw,file=${WORK}/disk.img`],
  ...['-drive', `if=none,id=stick,format=raw,readonly=on,file=fat:${WORK}/stick`],
  ...['-device', 'qemu-xhci', '-device', 'usb-storage,drive=stick,removable=on,bootindex=1'],
  ...['-netdev', `user,id=net0,tftp=${WORK}/tftp,bootfile=boot.ipxe`, '-device', 'virtio-net-pci,netdev=net0,romfile='],
  ...['-serial', `file:${WORK}/console.log`],
];

/**
 * Starts a virtual machine from iPXE, with the script that docs/BUILDING.md shows, and waits until the installer that it fetched
 * does what the script's words say. The stand-in for the installer's initramfs has no driver for the network: there it ends, with
 * the disk as it was. `ipxe` is iPXE's EFI program; `work` is as for bootDisk.
 */
export async function bootNetwork(work: string, ipxe: string, say: (line: string) => void): Promise<void> {
  const { tools } = await vmRoots(sayOnStderr);
  const folder = await mkdtemp(path.join(cacheDirectory(), 'boot-network-'));
  const file = (name: string) => path.join(folder, name);
  const server = await serve(path.join(work, 'offline/tmp-glibc/deploy/images', MACHINE, UKI));
  await mkdir(file('stick/EFI/BOOT'), { recursive: true });
  await copyFile(ipxe, file('stick/EFI/BOOT/BOOTX64.EFI'));
  await mkdir(file('tftp'));
  await writeFile(file('tftp/boot.ipxe'), await documentedScript(server.address() as AddressInfo));
  await writeFile(file('disk.img'), EMPTY);
  await writeFile(file('console.log'), '');
  const firmware = `cp /usr/share/OVMF/OVMF_VARS_4M.fd ${WORK}/vars.fd && exec "$@"`;
  const [program, ...args] = inRoot(tools, folder, ['sh', '-c', firmware, 'sh', ...QEMU]);
  const machine = spawn('setpriv', ['--pdeathsig', 'KILL', program, ...args], { stdio: 'inherit' });
  const ended = once(machine, 'close');
  try {
    const said = await until(
      'the installer',
      BOOT_MS,
      async () => {
        if (machine.exitCode !== null) throw new Error(`QEMU ended with ${machine.exitCode}`);
        return /lamadist-install: Cannot install: (.*?)\r?\n/.exec(await readFile(file('console.log'), 'latin1'))?.[1];
      },
      PAUSE_MS,
    );
    if (said !== 'there is no network') throw new Error(`The installer says "${said}"`);
    if (!(await readFile(file('disk.img'))).equals(EMPTY)) throw new Error('The installer wrote to the disk');
    say(`iPXE fetched the installer, which read the words of its script and looked for the network`);
  } catch (error) {
    await copyFile(file('console.log'), path.join(work, 'boot-network.log'));
    say(`console: ${path.join(work, 'boot-network.log')}`);
    throw error;
  } finally {
    machine.kill();
    await ended;
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** The script, with a server and a disk that there are: in the clear, for iPXE trusts no authority of ours. */
async function documentedScript({ port }: AddressInfo): Promise<string> {
  const page = await readFile(path.join(REPOSITORY, 'docs/BUILDING.md'), 'utf8');
  const [script] = /^#!ipxe\n[^`]*/m.exec(page) ?? [];
  if (script === undefined) throw new Error('docs/BUILDING.md shows no script for iPXE');
  return script
    .replace('https://server', `http://10.0.2.2:${port}`)
    .replace('/dev/nvme0n1', DISK)
    .replace(/sha256=\S+/, `sha256=${'0'.repeat(64)} console=ttyS0,115200`);
}

/** Serves the UKI, and nothing else, on loopback, which is 10.0.2.2 in QEMU's network. */
async function serve(uki: string): Promise<Server> {
  const server = createServer((request, response) => {
    if (request.url !== `/${UKI}`) return void response.writeHead(404).end();
    createReadStream(uki).pipe(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}
