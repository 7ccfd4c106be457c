// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { codeOf, presentable, unsupportedKeyIn } from '../../../../../agent/daemon/platform/rauc/rauc-texts.ts';

/** As RAUC 1.13 said them, in replies and in LastError, when it was made to. */
const OBSERVED = [
  ['UPDATE_IN_PROGRESS', 'already processing a different method'],
  ['UPDATE_IN_PROGRESS', 'Already processing a different method'],
  ['BUNDLE_UNTRUSTED', 'signature verification failed: Verify error: self-signed certificate'],
  ['BUNDLE_UNTRUSTED', 'signature verification failed: Verify error: certificate has expired'],
  ['BUNDLE_INVALID', 'signature verification failed: error:1700009E:CMS routines::verification failure'],
  ['BUNDLE_INVALID', 'signature verification failed: ECDSA digest_verify_final:'],
  ['BUNDLE_INVALID', 'Invalid bundle format: Signature size (7449361025514038538) exceeds bundle size'],
  ['BUNDLE_INVALID', 'Invalid bundle format: Failed to seek to end of bundle: Error seeking in file: Invalid argument'],
  ['BUNDLE_INVALID', 'Invalid bundle format: Failed to open bundle for reading: Error opening file /w/dir.raucb: Is a directory'],
  ['BUNDLE_INVALID', 'Invalid bundle format: Failed to open bundle for reading: Operation not supported'],
  ['BUNDLE_INVALID', "Bundle format 'plain' not allowed"],
  ['BUNDLE_INVALID', 'Failed mounting bundle: Check read from dm-verity device failed: Input/output error'],
  ['BUNDLE_INVALID', 'Installation error: Failed updating slot rootfs.1: Failed to copy data: Error reading from file: Input/output error'],
  [
    'BUNDLE_NOT_FOUND',
    'Invalid bundle format: Failed to open bundle for reading: Error opening file /w/none.raucb: No such file or directory',
  ],
  ['BUNDLE_NOT_FOUND', 'Failed to stream bundle http://127.0.0.1:8899/404.raucb: not found: unexpected HTTP error code 404'],
  ['DOWNLOAD_FAILED', 'Failed to stream bundle http://127.0.0.1:8899/401.raucb: unauthorized: unexpected HTTP error code 401'],
  [
    'DOWNLOAD_FAILED',
    'Failed to stream bundle http://127.0.0.1:8899/500.raucb: failed to configure streaming: unexpected HTTP error code 500',
  ],
  [
    'DOWNLOAD_FAILED',
    'Failed to stream bundle http://127.0.0.1:8899/good.raucb: failed to configure streaming: range requests not supported by server',
  ],
  ['DOWNLOAD_FAILED', 'Failed to stream bundle https://localhost:1/x.raucb: failed to configure streaming: server not responding'],
  ['BUNDLE_INCOMPATIBLE', "Compatible mismatch: Expected 'lamadist-test' but bundle manifest has 'some-other-board'"],
  ['BUNDLE_INCOMPATIBLE', "Installation error: No target slot for class 'appfs' of image 'rootfs.img' found"],
  ['BUNDLE_INCOMPATIBLE', "Bundle rejected: Hook returned: 'this board has no TPM'"],
  ['BUNDLE_TOO_LARGE', 'Installation error: Failed updating slot rootfs.1: Slot (33554432 bytes) is too small for image (41943040 bytes).'],
] as const;

/** As the sources of RAUC 1.13 to 1.15 have them. */
const FROM_SOURCE = [
  ['BUNDLE_TOO_LARGE', 'Installation error: Failed updating slot boot.0: Size of image (4096) does not fit to slot size 2048'],
  ['RAUC_REFUSED', "Version mismatch: Expected at least '2.5' but bundle manifest has '2.0'"],
  ['RAUC_REFUSED', 'Refusing to install bundle with unexpected hash (expected abc, got def)'],
  ['RAUC_REFUSED', 'Refusing to install plain bundle when using require-manifest-hash'],
  ['RAUC_REFUSED', 'unsafe bundle uid 1000'],
  ['BUNDLE_INVALID', 'bundle payload is corrupted'],
  ['BUNDLE_UNTRUSTED', 'signature verification failed: Verify error: unable to get local issuer certificate'],
] as const;

/** Words that are nothing but RAUC's own. */
const OTHERS = [
  'No slot with class rootfs and name rootfs.7 found',
  'Slot esp.0 has no bootname set',
  'Installation error: Failed updating slot rootfs.1: Failed to copy data: Error writing to file: Input/output error',
  "Invalid slot name format: 'nonsense'",
  'Failed getting primary slot: custom backend: /w/backend.sh failed with exit code 3',
  'failed to activate slot rootfs.1: custom backend: Failed to run /w/backend.sh: Child process exited with code 3',
  'Failed mounting bundle: Failed to open /dev/mapper/control: No such file or directory',
  'Installation error: Failed marking slot rootfs.1 non-bootable: Failed marking slot rootfs.1 as bad:  custom backend: Failed to run /w/backend.sh',
  '',
];

describe('a text of RAUC', () => {
  it.each([...OBSERVED, ...FROM_SOURCE])('means %s: %s', (code, text) => {
    expect(codeOf(text, 'INTERNAL')).toBe(code);
  });

  it.each(OTHERS)('that is not known means what its place says: %s', (text) => {
    expect(codeOf(text, 'INSTALL_FAILED')).toBe('INSTALL_FAILED');
  });

  it('is shown in one line of bounded length, without the credentials in a URL', () => {
    expect(presentable('Failed to stream bundle https://me:secret@host/x.raucb:\n nope \n')).toBe(
      'Failed to stream bundle https://host/x.raucb: nope',
    );
    expect(presentable('/data/user@home/x.raucb')).toBe('/data/user@home/x.raucb');
    expect(presentable('x'.repeat(5000))).toHaveLength(1000);
  });

  it('names the argument that RAUC does not know', () => {
    expect(unsupportedKeyIn('Cannot install "x": Unsupported key: require-manifest-hash')).toBe('require-manifest-hash');
    expect(unsupportedKeyIn('No slot found')).toBeUndefined();
  });
});
