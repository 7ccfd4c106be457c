// SPDX-License-Identifier: Apache-2.0
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { ProvisionedFile } from '../../../driver.ts';
import { WORK } from '../../../root/in-root.ts';
import type { VmFolder } from '../vm-folder.ts';
import { type Terminal, testersUnits } from './testers-units.ts';

const textOf = (script: string): Promise<string> => readFile(path.join(import.meta.dirname, script), 'utf8');

/** The kernel's log has ten lines of the audit system in five seconds, and drops others: a denial might be one of them. */
const EVERY_DENIAL = 'kernel.printk_ratelimit = 0\n';

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
    ...testersUnits(terminal),
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
