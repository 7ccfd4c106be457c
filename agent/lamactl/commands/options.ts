// SPDX-License-Identifier: Apache-2.0
import { InvalidArgumentError, Option } from 'commander';
import { Failure } from '../../shared/failure.ts';
import { parseWindow } from '../../shared/maintenance-window.ts';
import { parseSize } from '../../shared/size.ts';
import type { BundleSource } from '../node/node-update.ts';
import { parseDuration } from '../output/time.ts';

/** Reads --timeout, --wait: 500ms, 10s, 30m, 2h. */
export function duration(text: string): number {
  const durationMs = parseDuration(text);
  if (durationMs === undefined) throw new InvalidArgumentError('Say a duration such as 10s, 30m or 2h, and no more than 596h.');
  return durationMs;
}

/** Reads --since: how long ago (milliseconds), or when. */
export function moment(text: string): Date | number {
  const days = /^(\d{1,4})d$/.exec(text)?.[1];
  const agoMs = days ? Number(days) * 86_400_000 : parseDuration(text);
  if (agoMs !== undefined) return agoMs;
  const time = new Date(text);
  if (!Number.isNaN(time.getTime()) && /^\d{4}-/.test(text)) return time;
  throw new InvalidArgumentError('Say how long ago, such as 30m, 2h or 3d, or a time such as 2026-11-20T03:00Z.');
}

/** Reads a whole number from 1. */
export function count(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('Say a whole number from 1.');
  return Number(text);
}

/** Reads the hash of a line, as lamactl prints it. */
export function sha256(text: string): string {
  if (!/^[0-9a-f]{64}$/.test(text)) throw new InvalidArgumentError('Say a SHA-256 in lower-case hexadecimal.');
  return text;
}

/** Where a bundle is: on the administrator's own disk, on the node's, or behind a URL that the node can reach. */
export type BundleArgument = { readonly file: string } | Exclude<BundleSource, { readonly client: unknown }>;

/** Reads a bundle argument; `onNode` makes a path one of the node. Throws INVALID_REQUEST. */
export function bundleArgument(text: string, onNode: boolean): BundleArgument {
  return /^\w+:\/\//.test(text) || onNode ? bundleOnNetwork(text) : { file: text };
}

/** Reads where a bundle is, as the node sees it. Throws INVALID_REQUEST. */
export function bundleOnNetwork(text: string): { readonly path: string } | { readonly url: string } {
  if (text.startsWith('/')) return { path: text };
  if (text.startsWith('https://') && URL.canParse(text)) return { url: text };
  throw new Failure('INVALID_REQUEST', `Cannot use "${text}": it is neither an absolute path on the node nor an https: URL`);
}

/** Reads --limit-rate: 500KiB, 2MiB (a second). */
export function rate(text: string): number {
  const bytesPerSecond = parseSize(text.replace(/\/s$/, ''));
  if (bytesPerSecond === undefined || bytesPerSecond === 0) throw new InvalidArgumentError('Say a rate such as 500KiB or 2MiB.');
  return bytesPerSecond;
}

/** Reads --window: "Sat 02:00-05:00 Europe/Berlin". */
export function maintenanceWindow(text: string): string {
  if (parseWindow(text)) return text;
  throw new InvalidArgumentError(
    'Say a window such as "Sat 02:00-05:00 Europe/Berlin", "Mon-Fri 23:00-01:30" or "02:00-04:00" (UTC, daily).',
  );
}

const USUAL_WAIT_MS = 30 * 60_000;

/** --wait of the commands that follow an update to its end. */
export function waitOption(): Option {
  return new Option('--wait <duration>', 'how long to watch').argParser(duration).default(USUAL_WAIT_MS, '30m');
}
