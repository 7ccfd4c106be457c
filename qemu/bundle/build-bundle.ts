// SPDX-License-Identifier: Apache-2.0
import { closeSync, openSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { run } from '../host/command.ts';
import { type Say, timed } from '../host/say.ts';
import type { Image } from '../image/image-recipe.ts';
import type { Credentials } from '../pki/certificate-authority.ts';
import type { TestPki } from '../pki/test-pki.ts';
import { inRoot, WORK } from '../root/in-root.ts';
import { prepareRoot, type Root } from '../root/prepare-root.ts';
import { bundleClass } from './bundle-class.ts';

export type BundleFormat = 'plain' | 'verity' | 'crypt';

export interface BundleRequest {
  readonly image: Image;
  readonly pki: TestPki;
  /** Where to write it. */
  readonly target: string;
  /** What this machine can mount unless it says otherwise. */
  readonly format?: BundleFormat;
  /** Certificates (PEM) of the nodes that alone can open it, for the format crypt. */
  readonly encryptTo?: readonly string[];
  /** Further sections of the manifest. */
  readonly metadata?: string;
  /** That of this kind of node unless it says otherwise. */
  readonly compatible?: string;
  /** The installation's own unless it says otherwise. */
  readonly signer?: Credentials;
}

/** verity wherever this machine's kernel can mount it, else plain. Tools make device-mapper's control node where no driver answers. */
export function bundleFormat(): BundleFormat {
  try {
    closeSync(openSync('/dev/mapper/control', 'r'));
    return 'verity';
  } catch {
    return 'plain';
  }
}

/** The node in namespaces, in the class's words: without a boot chain of ours, there is a root and nothing beside it. */
const NAMESPACE = { MACHINE: 'namespace', LAMADIST_VERIFIED_BOOT: '0' } as const;

/** A signed RAUC bundle for the node in namespaces; its version is the image's. */
export async function buildBundle(request: BundleRequest, say: Say): Promise<{ path: string; format: BundleFormat }> {
  const ofClass = await bundleClass(NAMESPACE);
  const images = ofClass.images.map(({ slot, filename }) => ({ slot, filename, file: request.image.path }));
  const { compatible = ofClass.compatible, format = bundleFormat() } = request;
  await packBundle({ ...request, root: await prepareRoot(say), images, compatible, format, squashfs: UNPACKED }, say);
  return { path: request.target, format };
}

interface BundleImage {
  /** The class of the slots that it is for. */
  readonly slot: string;
  /** On this machine. */
  readonly file: string;
  /** In the bundle. */
  readonly filename: string;
  /** RAUC's adaptive method; without one, a node reads all of the image. */
  readonly adaptive?: string;
}

export interface BundleContent extends BundleRequest {
  /** The root whose rauc is used. */
  readonly root: Root;
  readonly images: readonly BundleImage[];
  readonly compatible: string;
  readonly format: BundleFormat;
  /** Arguments of mksquashfs. */
  readonly squashfs: string;
}

/** Writes a signed bundle to its target. */
export async function packBundle(request: BundleContent, say: Say): Promise<void> {
  const { root, format } = request;
  await mkdir(path.dirname(request.target), { recursive: true });
  // Beside the target, so that the bundle gets there by one rename.
  const folder = await mkdtemp(`${request.target}.`);
  try {
    await mkdir(path.join(folder, 'content'));
    for (const { file, filename } of request.images) await copyFile(file, path.join(folder, 'content', filename));
    await writeFile(path.join(folder, 'content/manifest.raucm'), manifest(request));
    const { certificate, key } = request.signer ?? request.pki.bundleSigner;
    await writeFile(path.join(folder, 'signer.pem'), certificate);
    await writeFile(path.join(folder, 'signer.key'), key, { mode: 0o600 });
    await timed(say, `Building bundle ${request.image.version} (${format})`, () =>
      run(inRoot(root, folder, bundleCommand(request.squashfs)), { timeoutMs: 120_000 }),
    );
    if (format === 'crypt') await encrypt(folder, request);
    await rename(path.join(folder, format === 'crypt' ? 'encrypted.raucb' : 'new.raucb'), request.target);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The image is compressed already. */
const UNPACKED = '-noD -noI -noF -noX';

function bundleCommand(squashfs: string): string[] {
  const keys = [`--cert=${WORK}/signer.pem`, `--key=${WORK}/signer.key`];
  return ['rauc', ...keys, `--mksquashfs-args=${squashfs}`, 'bundle', `${WORK}/content`, `${WORK}/new.raucb`];
}

/** What RAUC made is encrypted, with the key beside it: now that key is for these nodes alone. */
async function encrypt(folder: string, { root, pki, encryptTo = [] }: BundleContent): Promise<void> {
  await writeFile(path.join(folder, 'nodes.pem'), encryptTo.join('\n'));
  await writeFile(path.join(folder, 'keyring.pem'), pki.bundleAuthority.certificate);
  await copyFile(path.join(import.meta.dirname, 'encrypt.conf'), path.join(folder, 'encrypt.conf'));
  const command = ['rauc', `--conf=${WORK}/encrypt.conf`, 'encrypt', `--to=${WORK}/nodes.pem`];
  await run(inRoot(root, folder, [...command, `${WORK}/new.raucb`, `${WORK}/encrypted.raucb`]), { timeoutMs: 120_000 });
}

function manifest({ compatible, image, format, images, metadata = '' }: BundleContent): string {
  const parts = images.map(({ slot, filename, adaptive }) =>
    [`[image.${slot}]`, `filename=${filename}`, ...(adaptive ? [`adaptive=${adaptive}`] : []), ''].join('\n'),
  );
  return [
    '[update]',
    `compatible=${compatible}`,
    `version=${image.version}`,
    'description=LamaDist for a virtual node',
    '',
    '[bundle]',
    `format=${format}`,
    '',
    ...parts,
    metadata,
  ].join('\n');
}
