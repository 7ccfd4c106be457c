// SPDX-License-Identifier: Apache-2.0
import type { Operation, SlotReference } from './state.ts';

/** What an install is to leave behind in the target slot. */
export interface Written {
  readonly operationId: string;
  readonly targetSlot: SlotReference;
  readonly version: string;
  /** Of the bundle's manifest; empty where RAUC does not tell. */
  readonly manifestHash: string;
}

/** What a transition wants done to the world, as data. Each can be done twice without harm: a restart does just that. */
export type Effect =
  /** Waits until the window is open. */
  | { readonly type: 'await-window'; readonly window: string }
  /** Brings a bundle that lies elsewhere within RAUC's reach. */
  | { readonly type: 'deliver'; readonly operation: Operation }
  | { readonly type: 'inspect'; readonly location: string }
  | ({ readonly type: 'install'; readonly location: string } & Written)
  /** The agent came back while the installer may still be writing. */
  | ({ readonly type: 'rejoin-install' } & Written)
  | ({ readonly type: 'verify-slot' } & Written)
  /** Writes down what is about to boot, for the units of the trial boot, and only then tells the boot loader. */
  | { readonly type: 'activate'; readonly operationId: string; readonly targetSlot: SlotReference; readonly bootId: string }
  /** Within the window, where there is one. */
  | { readonly type: 'reboot'; readonly delayMs: number; readonly window: string }
  | { readonly type: 'confirm-target'; readonly targetSlot: SlotReference; readonly version: string }
  | { readonly type: 'run-gate' }
  | { readonly type: 'commit'; readonly targetSlot: SlotReference }
  | { readonly type: 'restore-source'; readonly sourceSlot: SlotReference; readonly targetSlot: SlotReference; readonly delayMs: number }
  | { readonly type: 'read-boot-log'; readonly bootId: string }
  /** The update has ended: what was kept for it goes, but for a part of a bundle that another attempt could go on with. */
  | { readonly type: 'clean-up'; readonly operationId: string; readonly keepBundle: boolean };

export type EffectType = Effect['type'];
export type EffectOf<T extends EffectType> = Extract<Effect, { type: T }>;
