// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { type BootLoaderState, chooseSlot, factoryState } from '../../../../qemu/namespace/boot-loader.ts';
import { formatState, parseState } from '../../../../qemu/namespace/boot-loader-state.ts';

const trialOfB = (triesLeft: number): BootLoaderState => ({
  order: ['B', 'A'],
  slots: { A: { is: 'good' }, B: { is: 'trial', triesLeft } },
  lastGood: 'A',
  maxTries: 1,
});

describe('the boot loader', () => {
  it('boots slot A of a new machine', () => {
    expect(chooseSlot(factoryState(1))).toEqual({ bootname: 'A', next: factoryState(1) });
  });

  it('uses up one try for each boot of a slot on trial', () => {
    expect(chooseSlot(trialOfB(2))).toEqual({ bootname: 'B', next: trialOfB(1) });
  });

  it('passes over a slot that has no tries left', () => {
    expect(chooseSlot(trialOfB(0))).toEqual({ bootname: 'A', next: trialOfB(0) });
  });

  it('passes over a slot that is bad', () => {
    expect(chooseSlot({ ...trialOfB(1), slots: { A: { is: 'good' }, B: { is: 'bad' } } })?.bootname).toBe('A');
  });

  it('uses no try of a slot that is good', () => {
    const state: BootLoaderState = { ...trialOfB(1), slots: { A: { is: 'good' }, B: { is: 'good' } } };
    expect(chooseSlot(state)).toEqual({ bootname: 'B', next: state });
  });

  it('boots the last good slot when no slot is bootable any more', () => {
    expect(chooseSlot({ ...trialOfB(0), slots: { A: { is: 'bad' }, B: { is: 'trial', triesLeft: 0 } } })?.bootname).toBe('A');
  });

  it('boots nothing when no slot is bootable and none ever was good', () => {
    expect(chooseSlot({ ...trialOfB(0), slots: { A: { is: 'bad' }, B: { is: 'bad' } }, lastGood: undefined })).toBeUndefined();
  });
});

describe('the state of the boot loader', () => {
  it('reads back what it wrote', () => {
    for (const state of [factoryState(3), trialOfB(2), { ...trialOfB(0), lastGood: undefined }]) {
      expect(parseState(formatState(state))).toEqual(state);
    }
  });

  it('is a text that a shell script can change line by line', () => {
    expect(formatState(trialOfB(1))).toBe('order B A\nslot A good 0\nslot B trial 1\nlast-good A\nmax-tries 1\n');
  });

  it.each([
    ['', 'no line "last-good"'],
    [formatState(trialOfB(1)).replace('trial 1', 'perhaps'), 'a slot is "perhaps"'],
    [formatState(trialOfB(1)).replace('order B', 'order C'), 'no slot is called "C"'],
  ])('is not guessed from %j', (text, message) => {
    expect(() => parseState(text)).toThrow(message);
  });
});
