// SPDX-License-Identifier: Apache-2.0
import { readFile, rename, writeFile } from 'node:fs/promises';
import { BOOTNAMES, type BootLoaderState, type Bootname, type SlotState } from './boot-loader.ts';

/**
 * The state as the text that the launcher and RAUC's backend script share. One line each, words apart by one space:
 * `order B A`, `slot A good 0`, `slot B trial 1` (good, bad or trial, and the tries left), `last-good A` (or `none`), `max-tries 1`.
 */
export function formatState(state: BootLoaderState): string {
  const slots = BOOTNAMES.map((name) => `slot ${name} ${state.slots[name].is} ${triesLeft(state.slots[name])}`);
  const lines = [`order ${state.order.join(' ')}`, ...slots, `last-good ${state.lastGood ?? 'none'}`, `max-tries ${state.maxTries}`];
  return `${lines.join('\n')}\n`;
}

function triesLeft(slot: SlotState): number {
  return slot.is === 'trial' ? slot.triesLeft : 0;
}

/** Reads what formatState wrote. Throws on anything else: a boot loader must not guess. */
export function parseState(text: string): BootLoaderState {
  const value = (key: string): string => {
    const found = text.split('\n').find((line) => line.startsWith(`${key} `));
    if (!found) throw new Error(`Cannot read the boot loader's state: no line "${key}"`);
    return found.slice(key.length + 1);
  };
  const lastGood = value('last-good');
  return {
    order: value('order').split(' ').map(bootnameOf),
    slots: { A: slotOf(value('slot A')), B: slotOf(value('slot B')) },
    lastGood: lastGood === 'none' ? undefined : bootnameOf(lastGood),
    maxTries: Number(value('max-tries')),
  };
}

function slotOf(text: string): SlotState {
  const [verdict, tries] = text.split(' ');
  if (verdict === 'good' || verdict === 'bad') return { is: verdict };
  if (verdict === 'trial' && /^\d+$/.test(tries ?? '')) return { is: 'trial', triesLeft: Number(tries) };
  throw new Error(`Cannot read the boot loader's state: a slot is "${text}"`);
}

function bootnameOf(text: string): Bootname {
  const found = BOOTNAMES.find((name) => name === text);
  if (!found) throw new Error(`Cannot read the boot loader's state: no slot is called "${text}"`);
  return found;
}

export async function readState(file: string): Promise<BootLoaderState> {
  return parseState(await readFile(file, 'utf8'));
}

/** Replaces the file in one step: its readers see the state before or the state after. */
export async function writeState(file: string, state: BootLoaderState): Promise<void> {
  await writeFile(`${file}.launcher`, formatState(state));
  await rename(`${file}.launcher`, file);
}
