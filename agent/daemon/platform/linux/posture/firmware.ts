// SPDX-License-Identifier: Apache-2.0
import type { Finding } from '../../../node/security-posture.ts';
import { listKernelFolder, readKernelBytes, readKernelFile } from '../kernel-file.ts';

const EFI = '/sys/firmware/efi';
/** EFI_GLOBAL_VARIABLE, UEFI Specification, "Globally Defined Variables". */
const GLOBAL = '8be4df61-93ca-11d2-aa0d-00e098032b8c';
/** efivarfs puts a variable's attributes before its value. */
const ATTRIBUTES_BYTES = 4;

export async function secureBoot(root: string): Promise<Finding> {
  if (!(await listKernelFolder(root + EFI))) return { state: 'off', detail: 'the node was not booted by UEFI', evidence: EFI };
  const evidence = `${EFI}/efivars/SecureBoot-${GLOBAL}`;
  const value = await flag(root + evidence);
  if (value === undefined) return { state: 'unknown', detail: 'the firmware does not show the variable SecureBoot', evidence };
  if (value === 1) return { state: 'on', detail: 'the firmware verified what it booted', evidence };
  const setup = (await flag(`${root}${EFI}/efivars/SetupMode-${GLOBAL}`)) === 1;
  return { state: 'off', detail: `the firmware boots anything${setup ? ': it is in setup mode, without a platform key' : ''}`, evidence };
}

async function flag(path: string): Promise<number | undefined> {
  const variable = await readKernelBytes(path);
  return variable?.length === ATTRIBUTES_BYTES + 1 ? variable[ATTRIBUTES_BYTES] : undefined;
}

const TPMS = '/sys/class/tpm';

export async function tpm(root: string): Promise<Finding> {
  const names = ((await listKernelFolder(root + TPMS)) ?? []).filter((name) => /^tpm\d+$/.test(name)).sort();
  const versions = await Promise.all(
    names.map(async (name) => {
      const evidence = `${TPMS}/${name}/tpm_version_major`;
      return { evidence, major: await readKernelFile(root + evidence) };
    }),
  );
  const second = versions.find(({ major }) => major === '2');
  if (second) return { state: 'on', detail: 'there is a TPM 2.0', evidence: second.evidence };
  const [other] = versions;
  if (!other) return { state: 'off', detail: 'the kernel found no TPM', evidence: TPMS };
  // A kernel before 5.6 does not say which.
  if (other.major === undefined) return { state: 'unknown', detail: 'the TPM does not tell its version', evidence: other.evidence };
  return { state: 'off', detail: `there is only a TPM ${other.major}`, evidence: other.evidence };
}
