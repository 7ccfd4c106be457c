// SPDX-License-Identifier: Apache-2.0
import type { ImageFile } from './product-files.ts';

export interface ImageRecipe {
  /** IMAGE_VERSION of os-release. */
  readonly version: string;
  /** The agent's bundle on this machine, for example dist/lamadist-agent.js. */
  readonly agent: string;
  /** Files to add or to replace, for variants: a failing check, a shorter deadline. */
  readonly files?: readonly ImageFile[];
  /** Absolute paths to leave out. */
  readonly without?: readonly string[];
  /** Words at the end of the kernel's command line, where the node has a kernel of its own. */
  readonly words?: readonly string[];
}

export interface Image {
  readonly version: string;
  /** An EROFS on this machine, kept in a cache: read it, do not write to it. */
  readonly path: string;
}
