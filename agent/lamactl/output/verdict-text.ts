// SPDX-License-Identifier: Apache-2.0
import type { Verdict } from '../attest/verdict.ts';
import type { Style } from './colour.ts';
import type { Cell } from './table.ts';

const STYLES = {
  TRUSTED: 'good',
  'TRUSTED (first use)': 'warning',
  REJECTED: 'bad',
  UNATTESTED: 'warning',
  UNKNOWN: 'warning',
} as const satisfies Record<Verdict['verdict'], Style>;

export function verdictStyle({ verdict }: Verdict): Style {
  return STYLES[verdict];
}

export function verdictCell(verdict: Verdict): Cell {
  return { text: verdict.verdict, style: verdictStyle(verdict) };
}

/** What goes with a verdict, each under its name; empty where there is nothing to say. */
export function verdictFacts(verdict: Verdict): {
  /** Which of a node's images it runs, unless it is the expected one. */
  readonly image: string;
  readonly believed: string;
  readonly reason: string;
  readonly found: string;
  readonly pcr: string;
  readonly event: string;
} {
  const rejection = verdict.verdict === 'REJECTED' ? verdict : undefined;
  const image = 'image' in verdict ? 'it runs the image before the last update' : '';
  const believed = verdict.verdict === 'TRUSTED (first use)' ? verdict.believed.join(', ') : '';
  return {
    image,
    believed,
    reason: rejection?.reason ?? '',
    found: 'found' in verdict ? verdict.found : '',
    pcr: rejection?.pcr === undefined ? '' : String(rejection.pcr),
    event: rejection?.event ?? '',
  };
}
