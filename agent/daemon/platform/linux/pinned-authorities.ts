// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../../shared/failure.ts';
import { parseFingerprint } from '../../../shared/fingerprint.ts';
import { readKernelFile } from './kernel-file.ts';

/**
 * The authorities that alone may claim this node: SHA-256 of their certificates, from `lamadist.enrol_ca=sha256:…` on the kernel
 * command line, which is signed with the kernel. A pin that cannot be read is no permission: it throws CONFIG_INVALID.
 */
export async function pinnedAuthorities(procFolder = '/proc'): Promise<readonly string[]> {
  const words = ((await readKernelFile(`${procFolder}/cmdline`)) ?? '').split(/\s+/);
  const pins = words
    .filter((word) => word.startsWith('lamadist.enrol_ca='))
    .flatMap((word) => word.slice(word.indexOf('=') + 1).split(','));
  return pins.map((pin) => {
    const fingerprint = parseFingerprint(pin);
    if (fingerprint !== undefined) return fingerprint;
    throw new Failure(
      'CONFIG_INVALID',
      `Cannot tell who may claim this node: lamadist.enrol_ca=${pin} on the kernel command line is no SHA-256`,
    );
  });
}
