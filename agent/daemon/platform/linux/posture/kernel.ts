// SPDX-License-Identifier: Apache-2.0
import type { Finding } from '../../../node/security-posture.ts';
import { listKernelFolder, readKernelFile } from '../kernel-file.ts';

const SECURITY = '/sys/kernel/security';
const ENFORCE = '/sys/fs/selinux/enforce';
const FILE_SYSTEMS = '/proc/filesystems';

export async function selinux(root: string): Promise<Finding> {
  const enforce = await readKernelFile(root + ENFORCE);
  if (enforce === '1') return { state: 'on', detail: 'SELinux enforces its policy', evidence: ENFORCE };
  if (enforce === '0') return { state: 'off', detail: 'SELinux is permissive: it only reports', evidence: ENFORCE };
  // The kernel registers selinuxfs when SELinux was not switched off at boot.
  const known = await readKernelFile(root + FILE_SYSTEMS);
  if (known === undefined) return { state: 'unknown', detail: 'the kernel does not show its file systems', evidence: FILE_SYSTEMS };
  if (/\bselinuxfs$/m.test(known)) {
    return {
      state: 'unknown',
      detail: 'the kernel has SELinux, and selinuxfs is not mounted where the agent can see it',
      evidence: ENFORCE,
    };
  }
  return { state: 'off', detail: 'the kernel runs without SELinux', evidence: FILE_SYSTEMS };
}

const LOCKDOWN = `${SECURITY}/lockdown`;

export async function lockdown(root: string): Promise<Finding> {
  const levels = await readKernelFile(root + LOCKDOWN);
  if (levels === undefined) return withoutFile(root, LOCKDOWN, 'the kernel has no lockdown');
  // The level in force is in brackets: none [integrity] confidentiality.
  const level = /\[(\w+)\]/.exec(levels)?.[1];
  if (level === undefined) return { state: 'unknown', detail: 'the kernel does not tell the level of its lockdown', evidence: LOCKDOWN };
  if (level === 'none') return { state: 'off', detail: 'the kernel is not locked down', evidence: LOCKDOWN };
  return { state: 'on', detail: `the kernel is locked down for ${level}`, evidence: LOCKDOWN };
}

const IMA = `${SECURITY}/ima`;
const COUNT = `${IMA}/runtime_measurements_count`;
const COMMAND_LINE = '/proc/cmdline';

export async function ima(root: string): Promise<Finding> {
  if (!(await listKernelFolder(root + IMA))) return withoutFile(root, IMA, 'the kernel has no IMA');
  const policy = / ima_policy=(\S+)/.exec(` ${(await readKernelFile(root + COMMAND_LINE)) ?? ''}`)?.[1];
  if (policy) return { state: 'on', detail: `IMA runs by the policy ${policy}`, evidence: COMMAND_LINE };
  const count = await measurements(root);
  // The first is the boot aggregate, which IMA measures without any policy.
  if (count === undefined)
    return { state: 'unknown', detail: 'the kernel has IMA, and only root may see whether it measures', evidence: COUNT };
  if (count > 1) return { state: 'on', detail: 'IMA measures what the node runs', evidence: COUNT };
  return { state: 'off', detail: 'the kernel has IMA, and no policy for it', evidence: COUNT };
}

async function measurements(root: string): Promise<number | undefined> {
  try {
    const text = await readKernelFile(root + COUNT);
    return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
  } catch {
    return undefined;
  }
}

/** What is missing below securityfs is not there at all; without securityfs nothing can be told. */
async function withoutFile(root: string, path: string, detail: string): Promise<Finding> {
  const mounted = ((await listKernelFolder(root + SECURITY)) ?? []).length > 0;
  if (mounted) return { state: 'off', detail, evidence: path };
  return { state: 'unknown', detail: 'securityfs is not mounted where the agent can see it', evidence: SECURITY };
}
