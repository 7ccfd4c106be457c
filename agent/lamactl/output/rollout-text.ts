// SPDX-License-Identifier: Apache-2.0
import type { RolloutState, Step } from '../rollout/state.ts';
import { summaryOf } from '../rollout/state.ts';
import type { Paint, Style } from './colour.ts';
import { type Cell, facts, table } from './table.ts';

interface Shown {
  readonly state: RolloutState;
  readonly holder: string;
}

const STYLES: Readonly<Record<Step, Style>> = {
  pending: 'faint',
  'in-flight': 'heading',
  done: 'good',
  failed: 'bad',
  'rolled-back': 'bad',
  skipped: 'warning',
  cancelled: 'warning',
  undoing: 'heading',
  undone: 'warning',
  'undo-failed': 'bad',
};

export const stepCell = (step: Step): Cell => ({ text: step, style: STYLES[step] });

/** Where a rollout stands, and each of its nodes. */
export function rolloutText(paint: Paint, { state, holder }: Shown): string {
  const about = facts(paint, [
    ['Rollout', state.plan.id],
    ['Of', summaryOf(state)],
    ['Why', state.why],
    ['Held by', holder],
    ['On record on', state.plan.witnesses.join(', ')],
  ]);
  const rows = state.plan.nodes.map(({ name, wave }, index): readonly Cell[] => {
    const { step, why } = state.nodes[index]!;
    return [String(wave + 1), name, stepCell(step), why];
  });
  const left = (state.plan.leftOut ?? []).map(({ name, why }): readonly Cell[] => {
    return [{ text: '-', style: 'faint' }, name, { text: 'left out', style: 'warning' }, why];
  });
  return `${about}\n${table(paint, ['WAVE', 'NODE', 'STEP', 'WHY'], [...rows, ...left])}`;
}

/** The same for a program. */
export function rolloutDocument({ state, holder }: Shown): object {
  const { plan, phase, why, wave, nodes } = state;
  return {
    rollout: plan.id,
    phase,
    why,
    wave: Math.min(wave + 1, plan.waves),
    waves: plan.waves,
    holder,
    witnesses: plan.witnesses,
    version: plan.bundle.version,
    nodes: plan.nodes.map(({ name, wave: of }, index) => ({ node: name, wave: of + 1, step: nodes[index]!.step, why: nodes[index]!.why })),
    leftOut: plan.leftOut ?? [],
  };
}
