// SPDX-License-Identifier: Apache-2.0
import type { Failure } from '../../shared/failure.ts';
import type { RollbackCode } from './life/rollback-code.ts';
import type { CheckRecord, Operation } from './life/state.ts';

/** Reboots the node; resolves when the system manager has taken the order. */
export type Reboot = (signal: AbortSignal) => Promise<void>;

/** Brings bundles from elsewhere within RAUC's reach. How much came is told through the updater's door. */
export interface Delivery {
  /** Resolves with the path or URL where RAUC finds the bundle, for as long as the update goes on. */
  deliver(operation: Operation, signal: AbortSignal): Promise<string>;
  /** Why the installer could not read what was delivered last; undefined when it could. */
  whyUnread(): Failure | undefined;
  /** The update ended. What came of its bundle is removed, unless another attempt is to go on with it. */
  end(operationId: string, keepBundle: boolean): Promise<void>;
  /** No update is under way: what an agent left that ended before it could end its update goes. */
  sweep(keepBundle: boolean): Promise<void>;
}

/** What the agent leaves for the units of a trial boot, which must work without it. */
export interface TrialMarks {
  /** Durably writes what is about to boot. */
  arm(operationId: string, targetBootname: string, bootId: string): Promise<void>;
  disarm(): Promise<void>;
  /** Tells the commit deadline of this boot that it has nothing to do. */
  committed(): Promise<void>;
  /** Tells whoever waits for the boot to be complete what the gate decided. */
  gate(verdict: 'passed' | 'failed'): Promise<void>;
}

export type GateDecision =
  | { readonly passed: true }
  | { readonly passed: false; readonly code: RollbackCode; readonly message: string; readonly failedChecks: readonly string[] };

/** Runs the health checks until the gate has decided, by its own deadline. */
export type Gate = (onCheck: (check: CheckRecord) => void, signal: AbortSignal) => Promise<GateDecision>;

/** The end of the log of an earlier boot, or an empty text when that boot left none. */
export type BootLog = (bootId: string, signal: AbortSignal) => Promise<string>;

/** Whether the node's clock is synchronised with some other; false where nobody can tell. */
export type ClockSynchronised = (signal: AbortSignal) => Promise<boolean>;

/** The boot that this agent runs in. */
export interface CurrentBoot {
  readonly bootId: string;
  /** RAUC's bootname of the booted slot. */
  readonly bootname: string;
}
