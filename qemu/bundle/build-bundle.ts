// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { run } from '../command.ts';
import type { Image } from '../image/build-image.ts';
import type { Credentials } from '../pki/certificate-authority.ts';
import type { TestPki } from '../pki/test-pki.ts';
import { inRoot, WORK } from '../root/in-root.ts';
import { prepareRoot } from '../root/prepare-root.ts';
import { type Say, timed } from '../say.ts';

export type BundleFormat = 'plain' | 'verity';

export interface BundleRequest {
  readonly image: Image;
  readonly pki: TestPki;
  /** Where to write it. */
  readonly target: string;
  /** lamadist-namespace unless it says otherwise. */
  readonly compatible?: string;
  /** The installation's own unless it says otherwise. */
  readonly signer?: Credentials;
}

/** verity wherever this machine's kernel can mount it (it has device-mapper's control node), else plain. */
function bundleFormat(): BundleFormat {
  return existsSync('/dev/mapper/control') ? 'verity' : 'plain';
}

/** A signed RAUC bundle with one root image; its version is the image's. */
export async function buildBundle(request: BundleRequest, say: Say): Promise<{ path: string; format: BundleFormat }> {
  const root = await prepareRoot(say);
  const format = bundleFormat();
  await mkdir(path.dirname(request.target), { recursive: true });
  // Beside the target, so that the bundle gets there by one rename.
  const folder = await mkdtemp(`${request.target}.`);
  try {
    await mkdir(path.join(folder, 'content'));
    await copyFile(request.image.path, path.join(folder, 'content/rootfs.img'));
    await writeFile(path.join(folder, 'content/manifest.raucm'), manifest(request, format));
    const { certificate, key } = request.signer ?? request.pki.bundleSigner;
    await writeFile(path.join(folder, 'signer.pem'), certificate);
    await writeFile(path.join(folder, 'signer.key'), key, { mode: 0o600 });
    await timed(say, `Building bundle ${request.image.version} (${format})`, () =>
      run(inRoot(root, folder, bundleCommand()), { timeoutMs: 120_000 }),
    );
    await rename(path.join(folder, 'new.raucb'), request.target);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return { path: request.target, format };
}

function bundleCommand(): string[] {
  // The image is compressed already.
  const squashfs = '--mksquashfs-args=-noD -noI -noF -noX';
  const keys = [`--cert=${WORK}/signer.pem`, `--key=${WORK}/signer.key`];
  return ['rauc', ...keys, squashfs, 'bundle', `${WORK}/content`, `${WORK}/new.raucb`];
}

function manifest(request: BundleRequest, format: BundleFormat): string {
  return [
    '[update]',
    `compatible=${request.compatible ?? 'lamadist-namespace'}`,
    `version=${request.image.version}`,
    'description=LamaDist for the node in namespaces',
    '',
    '[bundle]',
    `format=${format}`,
    '',
    '[image.rootfs]',
    'filename=rootfs.img',
    '',
  ].join('\n');
}
