// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import type { ImageFile } from '../image/product-files.ts';

/** A name for content: whatever changes it, changes the name. */
export function contentId(parts: readonly string[], files: readonly ImageFile[] = []): string {
  const hash = createHash('sha256').update(JSON.stringify(parts));
  for (const file of files) {
    hash.update(`\0${file.path}\0${file.mode ?? ''}\0`).update(createHash('sha256').update(file.content).digest());
  }
  return hash.digest('hex').slice(0, 24);
}
