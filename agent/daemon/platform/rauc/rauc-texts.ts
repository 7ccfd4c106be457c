// SPDX-License-Identifier: Apache-2.0
import type { FailureCode } from '../../../shared/failure.ts';

/**
 * What RAUC means by its words. All its errors carry one and the same D-Bus name, and a failed install a text only, so the
 * text has to be understood; the first pattern that is found decides. Texts of RAUC 1.13 as it really says them are the test
 * data; those of other versions are from its source, up to 1.15.
 */
const MEANINGS: readonly (readonly [FailureCode, RegExp])[] = [
  ['UPDATE_IN_PROGRESS', /already processing a different method/i],
  ['NO_SPACE', /no space left on device/i],
  ['BUNDLE_TOO_LARGE', /is too small for image|does not fit to slot size/],
  ['BUNDLE_INCOMPATIBLE', /Compatible mismatch|Bundle rejected: Hook returned/],
  ['BUNDLE_INCOMPATIBLE', /No target slot for class|No installable image found|Failed to find matching variant/],
  ['RAUC_REFUSED', /Version mismatch|Refusing to install|unsafe bundle|exclusive bundle access/],
  ['BUNDLE_NOT_FOUND', /Error opening file .*: No such file or directory|Failed to (stream|download) bundle .*: not found/],
  ['DOWNLOAD_FAILED', /Failed to (stream|download) bundle|failed to read data from remote server|Remote bundle access not supported/],
  // The signature itself fits its certificate, but not what it was made for: a damaged bundle rather than a foreign one.
  ['BUNDLE_INVALID', /signature verification failed: .*(CMS routines::verification failure|digest_verify_final)/],
  ['CERTIFICATE_NOT_YET_VALID', /certificate is not yet valid/],
  ['BUNDLE_UNTRUSTED', /signature verification failed|Failed to verify X509 cert|Unsupported number of signers/],
  ['BUNDLE_INVALID', /Invalid bundle format|Bundle format '.*' not (allowed|supported)|bundle payload is corrupted/],
  ['BUNDLE_INVALID', /no valid CMS|inline signature|Failed to decrypt bundle|Source image '.*' not found in bundle/],
  // What was mounted or copied is the bundle's own: a slot that cannot be written to is spoken of as "writing".
  ['BUNDLE_INVALID', /Check read from dm-verity device failed|Failed to copy data: Error reading from file: Input\/output error/],
  ['BUNDLE_INVALID', /Failed to load manifest|Missing (hash|salt|size|digest|key) for|Unsupported bundle format/i],
];

/** The code for a text, or `otherwise` when it is none of the known ones. */
export function codeOf(text: string, otherwise: FailureCode): FailureCode {
  return MEANINGS.find(([, pattern]) => pattern.test(text))?.[0] ?? otherwise;
}

const MAX_LENGTH = 1000;

/** The last octets of a file that may be no bundle, as a number: RAUC, as root, reads files that the caller could not. */
const SIGNATURE_SIZE = /(Signature size) \(\d+\)/g;

/** One line for people: RAUC repeats the location in its errors, and a URL may carry a user's name and password. */
export function presentable(text: string): string {
  const oneLine = text.replaceAll(/\s+/g, ' ').trim();
  return oneLine
    .replaceAll(/\/\/[^/@\s]*@/g, '//')
    .replaceAll(SIGNATURE_SIZE, '$1')
    .slice(0, MAX_LENGTH);
}

const UNSUPPORTED_KEY = /Unsupported key: ([\w-]+)/;

/** The argument that this version of RAUC does not know yet, if that is what the text says. */
export function unsupportedKeyIn(text: string): string | undefined {
  return UNSUPPORTED_KEY.exec(text)?.[1];
}
