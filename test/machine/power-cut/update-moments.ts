// SPDX-License-Identifier: Apache-2.0
import type { Phase } from '../../../agent/daemon/update/life/state.ts';
import type { Snapshot } from '../../../qemu/vm/machine/recording/recording.ts';
import type { Place } from '../../../qemu/vm/machine/recording/write-log.ts';

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

/** A snapshot of an update: what of the machine would outlive a power cut, and what lamactl had been told. */
export interface UpdateSnapshot extends Snapshot {
  readonly told: Phase;
  /** Since the update was asked for. */
  readonly afterMs: number;
}

/** An update as it was recorded. */
export interface UpdateRecording {
  readonly snapshots: readonly UpdateSnapshot[];
  /** How long the log of the disk was when the new slot was first written to. */
  readonly firstWriteBytes: number;
  /** When the new slot became the firmware's first choice, at the earliest and at the latest. */
  readonly chosen: { readonly earliestMs: number; readonly latestMs: number };
  /** Of the log of the disk, in its order. */
  readonly places: readonly Place[];
}

/** A moment at which the power is cut: at a place of the log, after the snapshot that says the rest. */
export interface Moment extends UpdateSnapshot, Place {
  readonly stage: Stage;
}

function stageOf({ told, afterMs, logBytes }: UpdateSnapshot, { firstWriteBytes, chosen }: UpdateRecording): Stage | undefined {
  if (told === 'installing') return logBytes <= firstWriteBytes ? 'download' : 'write';
  if (told !== 'committing') return STAGES[told];
  if (afterMs < chosen.earliestMs) return 'before commit';
  return afterMs > chosen.latestMs ? 'amid commit' : undefined;
}

/**
 * Where a power cut loses most between a snapshot and the next one: at any place of the log, if firmware and TPM had stored the same at
 * both, and only at the snapshot's own if they had not, as nobody knows at which place that changed. What lamactl had been told at the
 * snapshot it had been told at all of them; what it was told later counts for none.
 */
function worstMoment(recording: UpdateRecording, index: number): Moment | undefined {
  const { snapshots, places } = recording;
  const [snapshot, next] = [snapshots[index]!, snapshots[index + 1]];
  const stage = stageOf(snapshot, recording);
  if (!stage) return undefined;
  const untilBytes = next?.flash === snapshot.flash ? next.logBytes : snapshot.logBytes;
  // A snapshot amid an entry saw a write that nobody had been told of.
  const first = places.findLastIndex(({ logBytes }) => logBytes <= snapshot.logBytes);
  const last = places.findLastIndex(({ logBytes }) => logBytes <= untilBytes);
  const moments = places.slice(first, last + 1).map((place) => ({ ...snapshot, ...place, stage }));
  return most(moments.filter((moment) => stageOf(moment, recording) === stage));
}

/** The one that loses most, and of several such the first. */
const most = (moments: readonly Moment[]): Moment | undefined => moments.toSorted((a, b) => b.lost - a.lost)[0];

/** A power cut at either leaves the same. */
const leavesTheSame = (one: Moment, other: Moment): boolean => one.logBytes === other.logBytes && one.flash === other.flash;

/**
 * Of one of `quota` parts of a stage the moment that loses most, and of several such the one nearest the middle of the part; none that
 * leaves the same as one that was `picked` before. Where nothing is written for all of a part, that is the nearest one outside that
 * loses something.
 */
function momentOf(all: readonly Moment[], quota: number, index: number, picked: readonly Moment[]): Moment | undefined {
  const middle = ((index + 0.5) * all.length) / quota - 0.5;
  const near = all
    .map((moment, number) => ({
      moment,
      fromMiddle: Math.abs(number - middle),
      isWithin: Math.floor((number * quota) / all.length) === index,
    }))
    .filter(({ moment }) => !picked.some((earlier) => leavesTheSame(earlier, moment)))
    .toSorted((a, b) => a.fromMiddle - b.fromMiddle);
  const within = near.filter(({ isWithin }) => isWithin).map(({ moment }) => moment);
  return most(within) ?? near.find(({ moment }) => moment.lost > 0)?.moment;
}

/**
 * Twenty of them, no two of which leave the same: each stage is as many parts of the same length as it has moments, and each part has
 * one. Of every stage one, then of every stage another, and so on.
 */
export function chosenMoments(recording: UpdateRecording): readonly Moment[] {
  const moments = recording.snapshots.flatMap((_, index) => worstMoment(recording, index) ?? []);
  const picked: (Moment & { readonly round: number })[] = [];
  for (const [stage, quota] of Object.entries(QUOTAS)) {
    const all = moments.filter((moment) => moment.stage === stage);
    if (all.length < quota) throw new Error(`Cannot choose ${quota} moments of "${stage}": ${all.length} were seen`);
    for (let round = 0; round < quota; round += 1) {
      const moment = momentOf(all, quota, round, picked);
      if (!moment) throw new Error(`Cannot choose ${quota} moments of "${stage}": too little was written`);
      picked.push({ ...moment, round });
    }
  }
  return picked.toSorted((a, b) => a.round - b.round).map(({ round, ...moment }) => moment);
}
