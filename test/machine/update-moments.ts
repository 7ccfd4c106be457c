// SPDX-License-Identifier: Apache-2.0
import type { Phase } from '../../agent/daemon/update/life/state.ts';
import type { Photograph } from '../../qemu/vm/machine/recorder.ts';

/** The stages of an update, and how many moments of each are tried. */
const QUOTAS = {
  inspection: 1,
  // Before the new slot is written to.
  download: 2,
  write: 5,
  activation: 2,
  'first boot': 4,
  gate: 3,
  // On both sides of what makes the new slot the firmware's first choice.
  'before commit': 1,
  'amid commit': 1,
  'after commit': 1,
} as const;
type Stage = keyof typeof QUOTAS;

/** The stage by the phase that lamactl was told of last, where that says all. */
const STAGES: Partial<Record<Phase, Stage>> = {
  inspecting: 'inspection',
  installed: 'activation',
  activating: 'activation',
  'pending-reboot': 'first boot',
  trial: 'gate',
  checking: 'gate',
  committed: 'after commit',
};

/** A moment of an update: what of the machine would outlive a power cut, and what lamactl had been told. */
export interface Shot extends Photograph {
  readonly told: Phase;
  /** Since the update was asked for. */
  readonly afterMs: number;
}

/** An update as it was photographed. */
export interface Film {
  readonly shots: readonly Shot[];
  /** How long the log of the disk was when the new slot was first written to. */
  readonly firstWriteBytes: number;
  /** When the new slot became the firmware's first choice, at the earliest and at the latest. */
  readonly chosen: { readonly earliestMs: number; readonly latestMs: number };
}

export interface Moment extends Shot {
  readonly stage: Stage;
}

function stageOf({ told, afterMs, logBytes }: Shot, { firstWriteBytes, chosen }: Film): Stage | undefined {
  if (told === 'installing') return logBytes <= firstWriteBytes ? 'download' : 'write';
  if (told !== 'committing') return STAGES[told];
  if (afterMs < chosen.earliestMs) return 'before commit';
  return afterMs > chosen.latestMs ? 'amid commit' : undefined;
}

/** Twenty of them, spread evenly over each stage; of every stage one, then of every stage another, and so on. */
export function chosenMoments(film: Film): readonly Moment[] {
  const picked = Object.entries(QUOTAS).flatMap(([name, quota]) => {
    const stage = name as Stage;
    const all = film.shots.filter((shot) => stageOf(shot, film) === stage);
    if (all.length < quota) throw new Error(`Cannot choose ${quota} moments of "${stage}": ${all.length} were seen`);
    return Array.from({ length: quota }, (_, index) => {
      const shot = all[Math.floor(((index + 0.5) * all.length) / quota)]!;
      return { round: index, moment: { ...shot, stage } };
    });
  });
  return picked.toSorted((a, b) => a.round - b.round).map(({ moment }) => moment);
}
