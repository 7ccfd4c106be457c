// SPDX-License-Identifier: Apache-2.0

/** A number of nodes, or a part of them all. */
export type Share = { readonly count: number } | { readonly percent: number };

/** How many nodes a wave takes. */
export type WaveSize = Share | 'rest';

const COUNT = /^[1-9]\d{0,5}$/;
const PERCENT = /^(?<percent>[1-9]\d?|100)%$/;

/** Reads `1`, `25` or `10%`. Undefined when it is none. */
export function parseShare(text: string): Share | undefined {
  if (COUNT.test(text)) return { count: Number(text) };
  const percent = PERCENT.exec(text)?.groups?.percent;
  return percent === undefined ? undefined : { percent: Number(percent) };
}

/** Reads `1,10%,rest`; `rest` may only stand last, and is understood where it does not. Undefined when it is no such list. */
export function parseWaves(text: string): readonly WaveSize[] | undefined {
  const words = text.split(',').map((word) => word.trim());
  const sizes = words.map((word) => (word === 'rest' ? 'rest' : parseShare(word)));
  const known = sizes.filter((size) => size !== undefined);
  const rest = known.indexOf('rest');
  if (known.length < words.length || (rest !== -1 && rest < known.length - 1)) return undefined;
  return rest === -1 ? [...known, 'rest'] : known;
}

/** At least one, and of a part so many that it is whole. */
export function countOf(share: Share, total: number): number {
  return 'count' in share ? share.count : Math.max(1, Math.ceil((share.percent * total) / 100));
}

/** The most that a share allows: never more than it, but at least one, or nothing would ever go on. */
export function limitOf(share: Share, total: number): number {
  return 'count' in share ? share.count : Math.max(1, Math.floor((share.percent * total) / 100));
}

/** As it was written. */
export function sizeText(size: WaveSize): string {
  if (size === 'rest') return 'the rest';
  return 'count' in size ? String(size.count) : `${size.percent}%`;
}
