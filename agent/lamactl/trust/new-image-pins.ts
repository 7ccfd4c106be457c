// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot';
import { parseConfig } from '../../shared/config-file.ts';
import { Failure } from '../../shared/failure.ts';
import { pinsSchema } from '../attest/policy.ts';
import { BANKS, type Bank } from '../attest/tpm/algorithms.ts';
import { readBundleMetadata } from '../bundle/bundle-metadata.ts';
import { isBundle, readSignedManifest } from '../bundle/signed-manifest.ts';
import { openInput, readInput } from '../input-file.ts';
import { pinsOfBooted, readBooted } from './booted-image.ts';
import { readCertificates } from './certificate-files.ts';
import type { Pins } from './pins.ts';

const LEARNT_LIMIT_BYTES = 1 << 20;

/** What "attest learn --uki" prints. */
const Learnt = v.strictObject({ pcr_bank: v.picklist(BANKS), pcrs: pinsSchema });

export interface ImageFile {
  readonly file: string;
  /** Whose signature on a bundle is believed. */
  readonly keyring: string | undefined;
  readonly nowMs: number;
}

/**
 * What a new image makes of PCR 4 and 11, from a signed bundle that says so, from the UKI itself, or from what "attest learn"
 * printed of it. Throws BUNDLE_INVALID, BUNDLE_UNTRUSTED, CONFIG_INVALID, and INVALID_REQUEST when it says nothing or is none.
 */
export async function pinsOfNewImage(image: ImageFile, bank: Bank): Promise<Pins> {
  const start = await firstBytes(image.file);
  const pins = isBundle(start)
    ? await ofBundle(image, bank)
    : start.toString('latin1', 0, 2) === 'MZ'
      ? await ofUki(image, bank)
      : await ofLearnt(image, bank);
  const missing = ['4', '11'].find((pcr) => !pins[pcr]);
  if (missing === undefined) return pins;
  throw new Failure(
    'INVALID_REQUEST',
    `Cannot tell what PCR ${missing} of the new image will be in bank ${bank}: ${image.file} does not say; build it with "lamactl attest learn --bundle-metadata", or give --expect with the image`,
    { field: 'expect' },
  );
}

async function ofBundle({ file, keyring, nowMs }: ImageFile, bank: Bank): Promise<Pins> {
  if (keyring === undefined) {
    throw new Failure(
      'CONFIG_INVALID',
      `Cannot believe what the bundle ${file} says of its image: the context has no "keyring" to verify its signature with`,
      { field: 'keyring' },
    );
  }
  return readBundleMetadata(await readSignedManifest(file, await readCertificates([keyring]), nowMs), bank);
}

async function ofUki({ file }: ImageFile, bank: Bank): Promise<Pins> {
  return pinsOfBooted(await readBooted({ ukis: [file] }), bank);
}

async function ofLearnt({ file }: ImageFile, bank: Bank): Promise<Pins> {
  const { pcr_bank, pcrs } = parseConfig(Learnt, (await readInput(file, LEARNT_LIMIT_BYTES)).toString('utf8'), file);
  return pcr_bank === bank ? pcrs : {};
}

async function firstBytes(file: string): Promise<Buffer> {
  const handle = await openInput(file);
  try {
    const bytes = Buffer.alloc(16);
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, 0);
    return bytes.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}
