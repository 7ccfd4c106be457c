// SPDX-License-Identifier: Apache-2.0
import type { Failure } from '../../../shared/failure.ts';
import type { Bundle } from '../installer.ts';
import type { EffectType } from './effect.ts';
import type { RollbackCode } from './rollback-code.ts';
import type { CheckRecord, Operation, SlotReference } from './state.ts';

/** What the early unit and the deadline unit of a trial boot wrote down, without any help from the agent. */
export interface TrialRecord {
  readonly operationId: string;
  readonly bootId: string;
  readonly what: 'trial' | 'deadline' | 'agent-failed';
  /** Further words, for example the agent unit's result. */
  readonly detail: string;
}

/** Everything that can happen to an update. `atMs` is the wall clock, for people; no decision depends on it. */
export type UpdateEvent = { readonly atMs: number } & (
  | { readonly type: 'install-requested'; readonly operation: Operation }
  /** Held, let go again, or given up, before the point of no return: the activation of the target slot. */
  | { readonly type: 'pause-requested' }
  | { readonly type: 'resume-requested' }
  | { readonly type: 'cancel-requested'; readonly message: string }
  /** `bootname` is the booted slot's; `otherSlotGood` says whether the node could boot the other one. */
  | { readonly type: 'rollback-requested'; readonly message: string; readonly bootname: string; readonly otherSlotGood: boolean }
  /** When the window opens next; null while the clock cannot be relied on. */
  | { readonly type: 'window-planned'; readonly opensAtMs: number | null }
  | { readonly type: 'window-opened' }
  | { readonly type: 'bundle-fetched'; readonly operationId: string; readonly bytes: number; readonly sizeBytes: number }
  /** The source has to be waited for. */
  | { readonly type: 'fetch-held-up'; readonly operationId: string; readonly message: string }
  /** RAUC can reach the bundle at this path or URL. */
  | { readonly type: 'bundle-delivered'; readonly location: string }
  | {
      readonly type: 'inspected';
      readonly bundle: Bundle;
      readonly nodeCompatible: string;
      readonly failedHere: boolean;
      readonly sourceSlot: SlotReference;
      readonly targetSlot: SlotReference;
      readonly bootId: string;
      /** The version that runs: IMAGE_VERSION of the booted image. */
      readonly runningVersion: string;
      /** What the target slot can hold; undefined where nobody can tell. */
      /** What each slot of the target's group holds; undefined where nobody can tell. */
      readonly targetSlots: readonly { readonly name: string; readonly slotClass: string; readonly sizeBytes: number | undefined }[];
    }
  | { readonly type: 'install-progress'; readonly percent: number; readonly message: string }
  | { readonly type: 'install-completed' }
  | { readonly type: 'slot-verified' }
  | { readonly type: 'activated' }
  | { readonly type: 'target-confirmed' }
  | { readonly type: 'check-finished'; readonly check: CheckRecord }
  | { readonly type: 'gate-passed' }
  | { readonly type: 'gate-failed'; readonly code: RollbackCode; readonly message: string; readonly failedChecks: readonly string[] }
  | { readonly type: 'marked-good' }
  | { readonly type: 'source-restored' }
  | { readonly type: 'boot-log-read'; readonly log: string }
  /** The effect that the phase waits for came to nothing. */
  | { readonly type: 'effect-failed'; readonly effect: EffectType; readonly failure: Failure }
  /** The agent started: on the same boot as before, or on another one. */
  | { readonly type: 'agent-started'; readonly bootId: string; readonly bootname: string; readonly records: readonly TrialRecord[] }
);

export type EventType = UpdateEvent['type'];
export type EventOf<T extends EventType> = Extract<UpdateEvent, { type: T }>;
