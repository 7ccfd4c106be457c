// SPDX-License-Identifier: Apache-2.0

export const BOOTNAMES = ['A', 'B'] as const;
export type Bootname = (typeof BOOTNAMES)[number];

/**
 * What the boot loader knows of a slot. A trial is a slot that was made primary and has not been marked good since;
 * each boot of it uses up one try.
 */
export type SlotState = { readonly is: 'good' } | { readonly is: 'bad' } | { readonly is: 'trial'; readonly triesLeft: number };

export interface BootLoaderState {
  /** The slot that is tried first comes first. */
  readonly order: readonly Bootname[];
  readonly slots: Readonly<Record<Bootname, SlotState>>;
  /** The slot that was marked good last: the way out when nothing else boots. */
  readonly lastGood: Bootname | undefined;
  /** How many tries a slot gets when it is made primary. */
  readonly maxTries: number;
}

/** A machine as it leaves the factory: an image in slot A, nothing in slot B. */
export function factoryState(maxTries: number): BootLoaderState {
  return { order: ['A', 'B'], slots: { A: { is: 'good' }, B: { is: 'bad' } }, lastGood: 'A', maxTries };
}

export interface BootChoice {
  readonly bootname: Bootname;
  /** The state to write down before the slot is booted. */
  readonly next: BootLoaderState;
}

/** The first bootable slot of the order, else the last good one; undefined when there is nothing to boot. */
export function chooseSlot(state: BootLoaderState): BootChoice | undefined {
  for (const bootname of state.order) {
    const slot = state.slots[bootname];
    if (slot.is === 'good') return { bootname, next: state };
    if (slot.is === 'trial' && slot.triesLeft > 0) {
      const tried: SlotState = { is: 'trial', triesLeft: slot.triesLeft - 1 };
      return { bootname, next: { ...state, slots: { ...state.slots, [bootname]: tried } } };
    }
  }
  return state.lastGood && { bootname: state.lastGood, next: state };
}
