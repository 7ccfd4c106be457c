// SPDX-License-Identifier: Apache-2.0
import { formatSize } from '../../shared/size.ts';
import type { Update } from '../node/node-update.ts';

/** How much of a bundle came over the network: "3.1MiB of 143.2MiB"; empty for one that did not. */
export function fetchedText({ fetched }: Pick<Update, 'fetched'>): string {
  return fetched ? `${formatSize(fetched.fetchedBytes)} of ${formatSize(fetched.bundleBytes)}` : '';
}
