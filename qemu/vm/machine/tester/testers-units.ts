// SPDX-License-Identifier: Apache-2.0

/** The domain of a person who logged in as root. */
const PERSON = 'unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023';

/** Beside everything that the image starts and stops, and in the domain of a person; not in the initramfs, which has no Bash. */
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

/** Waits for the last of the ports, without asking an emulated processor again and again. */
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

/** What the initramfs has in its journal, which is gone when it never gets to the root. */
const INITRAMFS_UNIT = `[Unit]
Description=The journal of the initramfs
DefaultDependencies=no
ConditionPathExists=/etc/initrd-release
Requires=dev-virtio\\x2dports-initramfs.device
After=dev-virtio\\x2dports-initramfs.device

[Service]
ExecStart=/bin/sh -c 'exec journalctl --follow --no-tail --output=short-iso >/dev/virtio-ports/initramfs'
`;

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
export type Terminal = keyof typeof TERMINALS;

/** Credentials that give the machine units beside its image's, and drop-ins of those (systemd-debug-generator(8)). */
export function testersUnits(terminal: Terminal | undefined): Readonly<Record<string, string>> {
  return {
    'systemd.extra-unit.lamadist-control.service': CONTROL_UNIT,
    'systemd.extra-unit.lamadist-control.path': CONTROL_PATH,
    'systemd.extra-unit.lamadist-reached.service': REACHED_UNIT,
    'systemd.unit-dropin.rauc.service': '[Service]\nEnvironment=PATH=/run/lamadist-control/bin:/usr/sbin:/usr/bin\n',
    'systemd.unit-dropin.lamadist-agent.service': PATIENCE,
    'systemd.extra-unit.lamadist-initramfs.service': INITRAMFS_UNIT,
    'systemd.unit-dropin.sysinit.target': '[Unit]\nWants=lamadist-control.path lamadist-initramfs.service\n',
    'systemd.unit-dropin.multi-user.target': `[Unit]\nWants=lamadist-reached.service${terminal ? ' lamadist-console.service' : ''}\n`,
    ...(terminal && { 'systemd.extra-unit.lamadist-console.service': consoleUnit(terminal) }),
  };
}
