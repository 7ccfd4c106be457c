// SPDX-License-Identifier: Apache-2.0
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { ProvisionedFile } from '../../driver.ts';
import { WORK } from '../../root/in-root.ts';
import type { VmFolder } from './vm-folder.ts';

const textOf = (script: string): Promise<string> => readFile(path.join(import.meta.dirname, script), 'utf8');

/** The domain of a person who logged in as root. */
const PERSON = 'unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023';

/**
 * Beside everything that the image starts and stops, and in the domain of a person. In the initramfs
 * there is no port yet.
 */
const CONTROL_UNIT = `[Unit]
Description=The tester's way in
DefaultDependencies=no
IgnoreOnIsolate=yes
ConditionPathExists=!/etc/initrd-release
After=systemd-tmpfiles-setup.service

[Service]
SELinuxContext=${PERSON}
ExecStart=/bin/bash /run/credentials/@system/control-shell
StandardOutput=null
StandardError=journal
`;

/** Waits for the second of the two ports, without asking an emulated processor again and again. */
const CONTROL_PATH = `[Unit]
Description=The ports of the tester's way in
DefaultDependencies=no
IgnoreOnIsolate=yes
ConditionPathExists=!/etc/initrd-release

[Path]
PathExists=/dev/virtio-ports/journal
`;

/** Tells the tester's way in, which may be there later than multi-user.target. */
const REACHED_UNIT = `[Unit]
Description=multi-user.target is reached
Requisite=multi-user.target
After=multi-user.target

[Service]
Type=oneshot
SELinuxContext=${PERSON}
ExecStart=/bin/bash -c 'until [ -p /run/reached ]; do sleep 1; done; echo >/run/reached'
`;

/** The kernel's log has ten lines of the audit system in five seconds, and drops others: a denial might be one of them. */
const EVERY_DENIAL = 'kernel.printk_ratelimit = 0\n';

/** Emulated, and on a busy host, starting Node.js alone can take more than systemd's default of 90 s. */
const PATIENCE = '[Service]\nTimeoutStartSec=10min\nWatchdogSec=5min\n';

/** A shell for whoever sits at this terminal of the machine. */
const consoleUnit = (terminal: Terminal) => `[Unit]
Description=A shell on ${terminal}
ConditionPathExists=!/etc/initrd-release
After=multi-user.target

[Service]
SELinuxContext=${PERSON}
Environment=TERM=${TERMINALS[terminal]} HOME=/root
WorkingDirectory=/
ExecStart=/bin/bash --login
StandardInput=tty-force
StandardOutput=tty
StandardError=tty
TTYPath=/dev/${terminal}
Restart=always
`;

/** The serial console and the screen, and what programs take them for. */
const TERMINALS = { ttyS0: 'vt220', tty1: 'linux' } as const;
type Terminal = keyof typeof TERMINALS;

export interface MachineCredentials {
  readonly hostname: string;
  readonly files: readonly ProvisionedFile[];
  /** Whether files of these names that are there already give way. */
  readonly provisionsAgain: boolean;
  /** Where somebody sits. */
  readonly terminal: Terminal | undefined;
}

/**
 * What the machine's owner tells systemd through SMBIOS, from outside and without a change to the image
 * (systemd.system-credentials(7)): its name, files of its /etc that are not there yet, the tester's way in, and
 * what stands between RAUC and the boot loader.
 * Returns QEMU's options.
 */
export async function credentialOptions(
  folder: VmFolder,
  { hostname, files, provisionsAgain, terminal }: MachineCredentials,
): Promise<string[]> {
  const credentials: Readonly<Record<string, string>> = {
    'system.hostname': hostname,
    'tmpfiles.extra': tmpfilesLines(files, provisionsAgain ? 'f+~' : 'f~'),
    'sysctl.extra': EVERY_DENIAL,
    'control-shell': await textOf('control-shell.sh'),
    'efibootmgr-hold': await textOf('efibootmgr-hold.sh'),
    'systemd.extra-unit.lamadist-control.service': CONTROL_UNIT,
    'systemd.extra-unit.lamadist-control.path': CONTROL_PATH,
    'systemd.extra-unit.lamadist-reached.service': REACHED_UNIT,
    'systemd.unit-dropin.rauc.service': '[Service]\nEnvironment=PATH=/run/lamadist-control/bin:/usr/sbin:/usr/bin\n',
    'systemd.unit-dropin.lamadist-agent.service': PATIENCE,
    'systemd.unit-dropin.sysinit.target': '[Unit]\nWants=lamadist-control.path\n',
    'systemd.unit-dropin.multi-user.target': `[Unit]\nWants=lamadist-reached.service${terminal ? ' lamadist-console.service' : ''}\n`,
    ...(terminal && { 'systemd.extra-unit.lamadist-console.service': consoleUnit(terminal) }),
  };
  const options: string[] = [];
  for (const [number, [name, value]] of Object.entries(credentials).entries()) {
    const file = `credential-${number}`;
    await writeFile(folder.file(file), `io.systemd.credential.binary:${name}=${Buffer.from(value).toString('base64')}`, { mode: 0o600 });
    options.push('-smbios', `type=11,path=${WORK}/${file}`);
  }
  return options;
}

/** Lines of tmpfiles.d(5) that make the files, and the folders above them: `f~` unless they are there, `f+~` in any case. */
export function tmpfilesLines(files: readonly ProvisionedFile[], type: 'f~' | 'f+~'): string {
  const line = ({ path: target, content, mode = 0o644, owner = 'root' }: ProvisionedFile) =>
    `${type} ${target} ${mode.toString(8).padStart(4, '0')} ${owner} ${owner} - ${Buffer.from(content).toString('base64')}\n`;
  return files.map(line).join('');
}
