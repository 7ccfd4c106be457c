// SPDX-License-Identifier: Apache-2.0
import { CHAIN_START } from '../../shared/audit-chain.ts';
import type { AuditEntry } from '../node/node-audit.ts';
import type { CheckedLog } from '../trust/audit-check.ts';
import type { Cell } from './table.ts';
import { localTime } from './time.ts';

const SHOWN_BREAKS = 3;

/** What is to be said of a log as a whole. */
export function chainCell({ breaks, breakCount, cutOff, holdsHead, holdsKnown, knownSince, follows }: CheckedLog): Cell {
  if (breakCount > 0) {
    const shown = breaks.slice(0, SHOWN_BREAKS).map(({ line, why }) => `at line ${line}: ${why}`);
    const more = breakCount > shown.length ? [`in ${breakCount - shown.length} other places`] : [];
    return { text: `broken ${[...shown, ...more].join('; ')}`, style: 'bad' };
  }
  if (!holdsHead) return { text: 'whole, but without the line of --head: lines were taken away', style: 'bad' };
  if (!holdsKnown) {
    const gone = `whole, but without the last line of ${localTime(knownSince)}`;
    const why = follows === CHAIN_START ? 'it was begun anew' : 'lines were taken away, or so many came since that it is no longer kept';
    return { text: `${gone}: ${why}; once you know why, --accept-new`, style: 'bad' };
  }
  const beginning = follows === CHAIN_START ? 'whole, from the first line on' : 'whole; what came before it is no longer kept';
  const cut = cutOff > 0 ? `; ${cutOff} cut off by a power cut or a full disk` : '';
  return { text: `${beginning}${cut}`, style: 'good' };
}

/** A line of a table: when, where, who, what, and what came of it. */
export function entryCells(node: string, { at, caller, role, rpc, result, leftOut }: AuditEntry): readonly Cell[] {
  const missing = leftOut > 0 ? ` (and ${leftOut} before it)` : '';
  return [
    localTime(at),
    node,
    role === 'none' ? 'a stranger' : `${caller} (${role})`,
    rpc.replace(/^\/lamadist\.agent\.v\d+\./, ''),
    { text: `${result}${missing}`, style: result === 'OK' ? 'good' : 'warning' },
  ];
}
