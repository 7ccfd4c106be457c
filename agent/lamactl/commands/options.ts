// SPDX-License-Identifier: Apache-2.0
import { InvalidArgumentError, Option } from 'commander';
import type { BundleSource } from '../fleet/node.ts';
import { parseDuration } from '../output/time.ts';

/** Reads --timeout, --wait: 500ms, 10s, 30m, 2h. */
export function duration(text: string): number {
  const durationMs = parseDuration(text);
  if (durationMs === undefined) throw new InvalidArgumentError('Say a duration such as 10s, 30m or 2h.');
  return durationMs;
}

/** Reads a whole number from 1. */
export function count(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('Say a whole number from 1.');
  return Number(text);
}

/** Reads where a bundle is, as the node sees it. */
export function bundleSource(text: string): BundleSource {
  if (text.startsWith('/')) return { path: text };
  if (text.startsWith('https://') && URL.canParse(text)) return { url: text };
  throw new InvalidArgumentError('Say an absolute path on the node, or an https: URL that it can reach.');
}

const USUAL_WAIT_MS = 30 * 60_000;

/** --wait of the commands that follow an update to its end. */
export function waitOption(): Option {
  return new Option('--wait <duration>', 'how long to watch').argParser(duration).default(USUAL_WAIT_MS, '30m');
}
