// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { Phase } from '../../../../agent/daemon/update/life/state.ts';
import { chosenMoments, type Moment, type UpdateRecording, type UpdateSnapshot } from '../../../machine/power-cut/update-moments.ts';

const PHASES = ['inspecting', 'installing', 'activating', 'pending-reboot', 'checking', 'committing', 'committed'] as const;
const COMMIT: UpdateRecording['chosen'] = { earliestMs: 53_500, latestMs: 55_500 };

/**
 * Ten snapshots of each phase, one a second, and between two of them ten octets of a log with a place at each, where nothing is lost but
 * what `lost` says; the new slot is written to from the middle of its phase on. Firmware and TPM store nothing.
 */
function recordingOf(lost: Readonly<Record<number, number>> = {}, recording: Partial<UpdateRecording> = {}): UpdateRecording {
  const snapshots = PHASES.flatMap((told, phase) =>
    Array.from({ length: 10 }, (_, index) => {
      const number = 10 * phase + index;
      return { logBytes: 10 * number, flash: 'same', told: told as Phase, afterMs: 1_000 * number };
    }),
  );
  const places = Array.from({ length: 701 }, (_, logBytes) => ({ logBytes, lost: lost[logBytes] ?? 0 }));
  return { snapshots, places, firstWriteBytes: 145, chosen: COMMIT, ...recording };
}

const changed = ({ snapshots }: UpdateRecording, number: number, change: Partial<UpdateSnapshot>): readonly UpdateSnapshot[] =>
  snapshots.with(number, { ...snapshots[number]!, ...change });

/** Of a stage, in the order of the update: the place of each moment, and what is lost there. */
function at(stage: Moment['stage'], recording: UpdateRecording): readonly (readonly [number, number])[] {
  const ofStage = chosenMoments(recording).filter((moment) => moment.stage === stage);
  return ofStage.map(({ logBytes, lost }) => [logBytes, lost] as const);
}

describe('the moments of an update at which the power is cut', () => {
  it('are twenty different ones, of every stage, and on both sides of what the commit does', () => {
    const moments = chosenMoments(recordingOf());
    expect(new Set(moments.map(({ afterMs }) => afterMs)).size).toBe(20);
    const of = (stage: string) => moments.filter((moment) => moment.stage === stage).map(({ logBytes }) => logBytes);
    expect(of('download').every((number) => number >= 100 && number <= 145)).toBe(true);
    expect(of('write').every((number) => number > 145 && number < 200)).toBe(true);
    expect([of('before commit'), of('amid commit'), of('after commit')]).toEqual([[510], [570], [640]]);
  });

  it('begin with one of each stage, so that a short run has seen all', () => {
    const stages = chosenMoments(recordingOf()).map(({ stage }) => stage);
    expect(new Set(stages.slice(0, 9)).size).toBe(9);
  });

  it('cannot be chosen when no snapshot was taken between what the commit does and the end', () => {
    const recording = recordingOf({}, { chosen: { earliestMs: 53_500, latestMs: 59_000 } });
    expect(() => chosenMoments(recording)).toThrow('1 moments of "amid commit": 0 were seen');
  });

  it('are in the middle of each part of a stage where nothing is lost', () => {
    expect(at('gate', recordingOf()).map(([logBytes]) => logBytes)).toEqual([410, 440, 480]);
  });

  it('are where most is lost in each part of a stage, and not all where most is lost in the stage', () => {
    // The parts are the snapshots 40 to 43, 44 to 46, and 47 to 49.
    const lost = { 405: 7, 433: 8, 435: 9, 447: 2, 495: 1 };
    expect(at('gate', recordingOf(lost))).toEqual([
      [435, 9],
      [447, 2],
      [495, 1],
    ]);
  });

  it('are the ones nearest the middle of a part where several lose the same', () => {
    expect(at('after commit', recordingOf({ 605: 3, 655: 3, 695: 3 }))).toEqual([[655, 3]]);
  });

  it('are at a snapshot itself where that loses as much as any place after it', () => {
    expect(at('after commit', recordingOf({ 650: 3, 651: 3, 659: 3 }))).toEqual([[650, 3]]);
  });

  it('know of what lamactl was told no more than the snapshot before does', () => {
    // Between the last snapshot of the gate and the first of the commit.
    const moment = chosenMoments(recordingOf({ 497: 5 })).find(({ logBytes }) => logBytes === 497);
    expect(moment).toMatchObject({ stage: 'gate', told: 'checking', afterMs: 49_000, lost: 5 });
  });

  it('reach up to the place of the next snapshot, and are not after it', () => {
    const last = { 690: 1, 700: 9 };
    expect(at('after commit', recordingOf(last)), 'of the last snapshot').toEqual([[690, 1]]);
    expect(at('inspection', recordingOf({ 100: 4, 101: 9 }))).toEqual([[100, 4]]);
  });

  it('are at no place between two snapshots at which firmware and TPM had stored different things, but at the first of them', () => {
    const recording = recordingOf({ 645: 9, 650: 2, 655: 8 });
    const snapshots = changed(recording, 65, { flash: 'other' });
    expect(at('after commit', { ...recording, snapshots })).toEqual([[650, 2]]);
    expect(at('after commit', recording)).toEqual([[645, 9]]);
  });

  it('do not leave the same twice, though another loses less', () => {
    // From the last snapshot of the first part on nothing is written, until the last of the second.
    const recording = recordingOf({ 430: 9, 465: 2, 495: 1 });
    const snapshots = recording.snapshots.map((snapshot, number) =>
      number === 44 || number === 45 ? { ...snapshot, logBytes: 430 } : snapshot,
    );
    const places = recording.places.filter(({ logBytes }) => logBytes <= 430 || logBytes >= 460);
    expect(at('gate', { ...recording, snapshots, places })).toEqual([
      [430, 9],
      [465, 2],
      [495, 1],
    ]);
  });

  it('are the nearest that lose something outside a part in which nothing is written at all', () => {
    const recording = recordingOf({ 405: 3, 430: 9, 475: 4, 495: 5 });
    const snapshots = recording.snapshots.map((snapshot, number) =>
      number > 43 && number < 47 ? { ...snapshot, logBytes: 430 } : snapshot,
    );
    const places = recording.places.filter(({ logBytes }) => logBytes <= 430 || logBytes >= 470);
    // Snapshot 47 is nearer to the middle of the second part than snapshot 40.
    expect(at('gate', { ...recording, snapshots, places })).toEqual([
      [430, 9],
      [475, 4],
      [495, 5],
    ]);
  });

  it('cannot be chosen when too little was written in a stage', () => {
    const recording = recordingOf({});
    const snapshots = recording.snapshots.map((snapshot) => (snapshot.told === 'checking' ? { ...snapshot, logBytes: 400 } : snapshot));
    const places = recording.places.filter(({ logBytes }) => logBytes <= 400 || logBytes >= 500);
    expect(() => chosenMoments({ ...recording, snapshots, places })).toThrow('3 moments of "gate": too little was written');
  });

  it('of the download are before the first write to the new slot, and of the writing after it', () => {
    const recording = recordingOf({ 144: 3, 145: 4, 146: 9, 149: 8 });
    expect(at('download', recording)).toContainEqual([145, 4]);
    // No snapshot of the writing was before 150.
    expect(at('write', recording).flat()).not.toContain(9);
  });

  it('are before a write during which a snapshot was taken, as nobody had been told of that', () => {
    const recording = recordingOf();
    const places = recording.places.filter(({ logBytes }) => logBytes < 640 || logBytes > 660).map((place) => ({ ...place, lost: 0 }));
    const withLoss = places.map((place) => (place.logBytes === 639 ? { ...place, lost: 6 } : place));
    const moment = chosenMoments({ ...recording, snapshots: changed(recording, 63, { flash: 'other' }), places: withLoss }).find(
      ({ lost }) => lost === 6,
    );
    expect(moment).toMatchObject({ stage: 'after commit', logBytes: 639, afterMs: 64_000 });
  });
});
