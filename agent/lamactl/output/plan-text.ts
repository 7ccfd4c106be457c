// SPDX-License-Identifier: Apache-2.0
import type { Schedule } from '../rollout/plan.ts';
import type { Paint } from './colour.ts';
import { type Cell, table } from './table.ts';

/** Which node comes when, and why. */
export function planText(paint: Paint, { nodes, waves, leftOut, maxUnavailable, witnesses }: Schedule): string {
  const planned = nodes.map(({ name, wave, why }): readonly Cell[] => [String(wave + 1), name, why]);
  const left = leftOut.map(({ name, why }): readonly Cell[] => [{ text: '-', style: 'faint' }, name, `left out: ${why}`]);
  const record = witnesses.length === 0 ? '' : `; on record on ${witnesses.join(', ')}`;
  const summary = `${nodes.length} nodes in ${waves} waves, at most ${maxUnavailable} down at once${record}\n`;
  return table(paint, ['WAVE', 'NODE', 'WHY'], [...planned, ...left]) + summary;
}
