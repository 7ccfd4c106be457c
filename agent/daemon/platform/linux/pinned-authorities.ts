// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../../shared/failure.ts';
import { parseFingerprint } from '../../../shared/fingerprint.ts';
import { readKernelFile } from './kernel-file.ts';

/** As the kernel reads its own parameters: quotes go, and a dash in a name is an underscore. */
const PIN = /^lamadist\.enrol_ca=(.*)$/;
/** What somebody means to be one, however it is spelt. */
const LIKE_A_PIN = /^lamadist.?enrol/i;

/**
 * The authorities that alone may claim this node: SHA-256 of their certificates, from `lamadist.enrol_ca=sha256:…` on the kernel
 * command line, which is signed with the kernel. A pin that cannot be read is no permission: it throws CONFIG_INVALID.
 */
export async function pinnedAuthorities(procFolder = '/proc'): Promise<readonly string[]> {
  const words = ((await readKernelFile(`${procFolder}/cmdline`)) ?? '').replaceAll('"', '').split(/\s+/);
  return words.filter((word) => LIKE_A_PIN.test(word)).flatMap(readPin);
}

function readPin(word: string): readonly string[] {
  const [name = '', ...value] = word.split('=');
  const pins = PIN.exec([name.replaceAll('-', '_'), ...value].join('='))?.[1]?.split(',') ?? [];
  const fingerprints = pins.map(parseFingerprint).filter((fingerprint) => fingerprint !== undefined);
  if (fingerprints.length === pins.length && pins.length > 0) return fingerprints;
  const found = `${word} on the kernel command line is not lamadist.enrol_ca= and a SHA-256, or several by commas`;
  throw new Failure('CONFIG_INVALID', `Cannot tell who may claim this node: ${found}`);
}
