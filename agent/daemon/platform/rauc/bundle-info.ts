// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot';
import { Failure } from '../../../shared/failure.ts';
import type { Bundle } from '../../update/installer.ts';
import { readAnswer } from './rauc-answer.ts';

const text = v.string();

/** The answer of InspectBundle, a{sv}. RAUC 1.9 tells neither format nor hash, and a manifest need not have the others. */
const InfoSchema = v.object({
  update: v.object({
    compatible: text,
    version: v.optional(text, ''),
    description: v.optional(text, ''),
    build: v.optional(text, ''),
  }),
  bundle: v.optional(v.object({ format: v.optional(text, '') }), {}),
  'manifest-hash': v.optional(text, ''),
  images: v.optional(v.array(v.object({ 'slot-class': text, size: v.optional(v.bigint(), 0n) })), []),
});

/** Throws BUNDLE_INVALID for a bundle that the agent could not tell from another, RAUC_UNREADABLE for an answer of another shape. */
export function toBundle(answer: unknown, location: string): Bundle {
  const info = readAnswer(InfoSchema, answer, 'the bundle');
  if (info.update.version === '') throw new Failure('BUNDLE_INVALID', `Cannot use "${location}": its manifest names no version`);
  const { format } = info.bundle;
  // RAUC holds no plain bundle to a hash: told one, it refuses the install.
  const manifestHash = format === 'plain' ? '' : info['manifest-hash'];
  const images = info.images.map((image) => ({ slotClass: image['slot-class'], sizeBytes: Number(image.size) }));
  return { ...info.update, format, manifestHash, images };
}
