// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { Phase } from '../../../agent/daemon/update/life/state.ts';
import { chosenMoments, type Film, type Moment, type Shot } from '../../machine/update-moments.ts';

const PHASES = ['inspecting', 'installing', 'activating', 'pending-reboot', 'checking', 'committing', 'committed'] as const;
const COMMIT: Film['chosen'] = { earliestMs: 53_500, latestMs: 55_500 };

/**
 * Ten shots of each phase, one a second, and between two of them ten octets of a log with a place at each, where nothing is lost but
 * what `lost` says; the new slot is written to from the middle of its phase on. Firmware and TPM store nothing.
 */
function filmOf(lost: Readonly<Record<number, number>> = {}, film: Partial<Film> = {}): Film {
  const shots = PHASES.flatMap((told, phase) =>
    Array.from({ length: 10 }, (_, index) => {
      const number = 10 * phase + index;
      return { logBytes: 10 * number, flash: 'same', told: told as Phase, afterMs: 1_000 * number };
    }),
  );
  const places = Array.from({ length: 701 }, (_, logBytes) => ({ logBytes, lost: lost[logBytes] ?? 0 }));
  return { shots, places, firstWriteBytes: 145, chosen: COMMIT, ...film };
}

const changed = ({ shots }: Film, number: number, change: Partial<Shot>): readonly Shot[] =>
  shots.with(number, { ...shots[number]!, ...change });

/** Of a stage, in the order of the update: the place of each moment, and what is lost there. */
function at(stage: Moment['stage'], film: Film): readonly (readonly [number, number])[] {
  const ofStage = chosenMoments(film).filter((moment) => moment.stage === stage);
  return ofStage.map(({ logBytes, lost }) => [logBytes, lost] as const);
}

describe('the moments of an update at which the power is cut', () => {
  it('are twenty different ones, of every stage, and on both sides of what the commit does', () => {
    const moments = chosenMoments(filmOf());
    expect(new Set(moments.map(({ afterMs }) => afterMs)).size).toBe(20);
    const of = (stage: string) => moments.filter((moment) => moment.stage === stage).map(({ logBytes }) => logBytes);
    expect(of('download').every((number) => number >= 100 && number <= 145)).toBe(true);
    expect(of('write').every((number) => number > 145 && number < 200)).toBe(true);
    expect([of('before commit'), of('amid commit'), of('after commit')]).toEqual([[510], [570], [640]]);
  });

  it('begin with one of each stage, so that a short run has seen all', () => {
    const stages = chosenMoments(filmOf()).map(({ stage }) => stage);
    expect(new Set(stages.slice(0, 9)).size).toBe(9);
  });

  it('cannot be chosen when nothing was photographed between what the commit does and the end', () => {
    const film = filmOf({}, { chosen: { earliestMs: 53_500, latestMs: 59_000 } });
    expect(() => chosenMoments(film)).toThrow('1 moments of "amid commit": 0 were seen');
  });

  it('are in the middle of each part of a stage where nothing is lost', () => {
    expect(at('gate', filmOf()).map(([logBytes]) => logBytes)).toEqual([410, 440, 480]);
  });

  it('are where most is lost in each part of a stage, and not all where most is lost in the stage', () => {
    // The parts are the shots 40 to 43, 44 to 46, and 47 to 49.
    const lost = { 405: 7, 433: 8, 435: 9, 447: 2, 495: 1 };
    expect(at('gate', filmOf(lost))).toEqual([
      [435, 9],
      [447, 2],
      [495, 1],
    ]);
  });

  it('are the ones nearest the middle of a part where several lose the same', () => {
    expect(at('after commit', filmOf({ 605: 3, 655: 3, 695: 3 }))).toEqual([[655, 3]]);
  });

  it('are at a shot itself where that loses as much as any place after it', () => {
    expect(at('after commit', filmOf({ 650: 3, 651: 3, 659: 3 }))).toEqual([[650, 3]]);
  });

  it('know of what lamactl was told no more than the shot before does', () => {
    // Between the last shot of the gate and the first of the commit.
    const moment = chosenMoments(filmOf({ 497: 5 })).find(({ logBytes }) => logBytes === 497);
    expect(moment).toMatchObject({ stage: 'gate', told: 'checking', afterMs: 49_000, lost: 5 });
  });

  it('reach up to the place of the next shot, and are not after it', () => {
    const last = { 690: 1, 700: 9 };
    expect(at('after commit', filmOf(last)), 'of the last shot').toEqual([[690, 1]]);
    expect(at('inspection', filmOf({ 100: 4, 101: 9 }))).toEqual([[100, 4]]);
  });

  it('are at no place between two shots at which firmware and TPM had stored different things, but at the first of them', () => {
    const film = filmOf({ 645: 9, 650: 2, 655: 8 });
    const shots = changed(film, 65, { flash: 'other' });
    expect(at('after commit', { ...film, shots })).toEqual([[650, 2]]);
    expect(at('after commit', film)).toEqual([[645, 9]]);
  });

  it('do not leave the same twice, though another loses less', () => {
    // From the last shot of the first part on nothing is written, until the last of the second.
    const film = filmOf({ 430: 9, 465: 2, 495: 1 });
    const shots = film.shots.map((shot, number) => (number === 44 || number === 45 ? { ...shot, logBytes: 430 } : shot));
    const places = film.places.filter(({ logBytes }) => logBytes <= 430 || logBytes >= 460);
    expect(at('gate', { ...film, shots, places })).toEqual([
      [430, 9],
      [465, 2],
      [495, 1],
    ]);
  });

  it('are the nearest that lose something outside a part in which nothing is written at all', () => {
    const film = filmOf({ 405: 3, 430: 9, 475: 4, 495: 5 });
    const shots = film.shots.map((shot, number) => (number > 43 && number < 47 ? { ...shot, logBytes: 430 } : shot));
    const places = film.places.filter(({ logBytes }) => logBytes <= 430 || logBytes >= 470);
    // Shot 47 is nearer to the middle of the second part than shot 40.
    expect(at('gate', { ...film, shots, places })).toEqual([
      [430, 9],
      [475, 4],
      [495, 5],
    ]);
  });

  it('cannot be chosen when too little was written in a stage', () => {
    const film = filmOf({});
    const shots = film.shots.map((shot) => (shot.told === 'checking' ? { ...shot, logBytes: 400 } : shot));
    const places = film.places.filter(({ logBytes }) => logBytes <= 400 || logBytes >= 500);
    expect(() => chosenMoments({ ...film, shots, places })).toThrow('3 moments of "gate": too little was written');
  });

  it('of the download are before the first write to the new slot, and of the writing after it', () => {
    const film = filmOf({ 144: 3, 145: 4, 146: 9, 149: 8 });
    expect(at('download', film)).toContainEqual([145, 4]);
    // No shot of the writing was before 150.
    expect(at('write', film).flat()).not.toContain(9);
  });

  it('are before a write during which a shot was made, as nobody had been told of that', () => {
    const film = filmOf();
    const places = film.places.filter(({ logBytes }) => logBytes < 640 || logBytes > 660).map((place) => ({ ...place, lost: 0 }));
    const withLoss = places.map((place) => (place.logBytes === 639 ? { ...place, lost: 6 } : place));
    const moment = chosenMoments({ ...film, shots: changed(film, 63, { flash: 'other' }), places: withLoss }).find(
      ({ lost }) => lost === 6,
    );
    expect(moment).toMatchObject({ stage: 'after commit', logBytes: 639, afterMs: 64_000 });
  });
});
