// SPDX-License-Identifier: Apache-2.0
import { homedir } from 'node:os';
import path from 'node:path';

/** Where roots and images are kept between runs: outside the checkout, by the XDG Base Directory Specification. */
export function cacheDirectory(): string {
  return path.join(process.env.XDG_CACHE_HOME || path.join(homedir(), '.cache'), 'lamadist');
}
