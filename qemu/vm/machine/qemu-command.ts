// SPDX-License-Identifier: Apache-2.0
import { WORK } from '../../root/in-root.ts';
import type { Architecture } from '../architecture.ts';

export interface Forwarded {
  readonly host: string;
  readonly port: number;
}

/** How a person looks at the machine, and types on its PS/2 keyboard; it listens on loopback only. */
export type Display = 'none' | 'vnc' | 'spice';

/** What a machine calls this host's loopback address: the gateway of QEMU's user network. */
export const HOST_SEEN_FROM_MACHINE = '10.0.2.2';

const CONSOLE = `${WORK}/console.log`;

const DISPLAYS: Readonly<Record<Display, readonly string[]>> = {
  none: [],
  vnc: ['-device', 'VGA', '-vnc', '127.0.0.1:0'],
  spice: ['-device', 'VGA', '-spice', 'addr=127.0.0.1,port=5930,disable-ticketing=on'],
};

export interface QemuOptions {
  readonly architecture: Architecture;
  readonly forwarded: Forwarded;
  readonly display: Display;
  /** Whether the serial console is this process's own terminal, where Ctrl-A X ends QEMU; it is in the folder's log either way. */
  readonly onTerminal: boolean;
  /** From credentialOptions. */
  readonly credentials: readonly string[];
  /** A file of the folder that is a USB stick, plugged in before the machine is switched on; it boots after the disk. */
  readonly medium?: string | undefined;
}

/**
 * QEMU's command line for a machine in the folder WORK: UEFI that enforces Secure Boot, a TPM 2.0 where its kernel has a driver for
 * one, one disk whose every write is logged, USB, a watchdog, and virtio ports for the tester. Nothing listens elsewhere than on the loopback network.
 */
export function qemuCommand({ architecture, forwarded, display, onTerminal, credentials, medium }: QemuOptions): string[] {
  const { host, port } = forwarded;
  return [
    ...architecture.qemu,
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-action', 'panic=none'],
    // One processor: of two, one lost its timer in a boot of some sixty, and a boot costs the host as much.
    ...['-accel', 'tcg', '-smp', '1', '-m', '1024'],
    ...['-drive', `if=pflash,format=raw,unit=0,readonly=on,file=${architecture.firmware.code}`],
    ...['-drive', `if=pflash,format=raw,unit=1,file=${WORK}/vars.fd`],
    ...['-blockdev', `driver=file,node-name=disk-file,filename=${WORK}/disk.img,discard=unmap`],
    ...['-blockdev', `driver=file,node-name=log-file,filename=${WORK}/writes.log`],
    ...['-blockdev', 'driver=raw,node-name=disk-raw,file=disk-file,discard=unmap'],
    ...['-blockdev', 'driver=blklogwrites,node-name=disk,file=disk-raw,log=log-file'],
    ...['-device', 'virtio-blk-pci,drive=disk,serial=lamadist,bootindex=1'],
    ...(architecture.tpm ? tpmOptions(architecture.tpm) : []),
    ...[
      '-chardev',
      onTerminal ? `stdio,id=console,signal=off,mux=on,logfile=${CONSOLE},logappend=on` : `file,id=console,path=${CONSOLE},append=on`,
    ],
    ...['-serial', 'chardev:console'],
    ...['-device', 'virtio-serial-pci', '-chardev', `socket,id=control,path=${WORK}/control.sock,server=on,wait=off`],
    ...['-device', 'virtserialport,chardev=control,name=control'],
    ...['initramfs', 'journal'].flatMap(logPort),
    ...['-qmp', `unix:${WORK}/qmp.sock,server=on,wait=off`],
    ...['-netdev', `user,id=net0,hostfwd=tcp:${host}:${port}-:${port}`, '-device', 'virtio-net-pci,netdev=net0,romfile='],
    ...['-virtfs', `local,path=${WORK}/media,mount_tag=media,security_model=none,readonly=on`],
    ...['-device', 'qemu-xhci', '-device', 'virtio-rng-pci', '-device', 'i6300esb', '-action', 'watchdog=reset'],
    ...(medium ? mediumOptions(medium) : []),
    ...DISPLAYS[display],
    ...credentials,
  ];
}

/** A virtio port whose every octet is in the folder's log of that name. */
function logPort(name: string): string[] {
  const file = `file,id=${name},path=${WORK}/${name}.log,append=on`;
  return ['-chardev', file, '-device', `virtserialport,chardev=${name},name=${name}`];
}

function tpmOptions(device: string): string[] {
  return ['-chardev', `socket,id=tpm,path=${WORK}/tpm.sock`, '-tpmdev', 'emulator,id=tpm0,chardev=tpm', '-device', `${device},tpmdev=tpm0`];
}

function mediumOptions(medium: string): string[] {
  const drive = `driver=file,node-name=medium,filename=${WORK}/${medium},read-only=on`;
  return ['-blockdev', drive, '-device', 'usb-storage,drive=medium,removable=on,bootindex=2'];
}
