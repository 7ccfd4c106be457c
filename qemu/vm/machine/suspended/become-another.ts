// SPDX-License-Identifier: Apache-2.0
import type { ProvisionedFile } from '../../../driver.ts';
import type { Machine } from '../../../machine.ts';
import { tmpfilesLines } from '../tester/credentials.ts';

/** Starting the agent alone takes 5 s on an idle host. */
const RESUME_MS = 300_000;

/** A machine that was just resumed has the time and the files of the one that was suspended: gives it those of its own. */
export async function becomeAnother(machine: Pick<Machine, 'name' | 'shell'>, provisioned: readonly ProvisionedFile[]): Promise<void> {
  const steps = [
    `date --set=@${Math.floor(Date.now() / 1000)}`,
    // One that is to know nobody yet has no others in their place.
    'rm -rf /etc/lamadist-agent/tls/*',
    'systemd-tmpfiles --create -',
    // Among them may be files of units.
    'systemctl daemon-reload',
    'systemctl try-restart rauc.service',
    'systemctl restart lamadist-agent.service',
    'sync',
  ];
  const input = tmpfilesLines(provisioned, 'f+~');
  const { exitCode, stderr } = await machine.shell(steps.join(' && '), { timeoutMs: RESUME_MS, input });
  if (exitCode !== 0) throw new Error(`Cannot resume ${machine.name}: ${stderr.trim()}`);
}
