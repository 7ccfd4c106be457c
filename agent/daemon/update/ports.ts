// SPDX-License-Identifier: Apache-2.0
import type { CheckRecord, RollbackCode } from './state.ts';

/** Reboots the node; resolves when the system manager has taken the order. */
export type Reboot = (signal: AbortSignal) => Promise<void>;

/** Fetches a bundle to the node's own disk. Resolves with its path; a second call for the same operation goes on where the first ended. */
export interface Downloader {
  download(url: string, operationId: string, onPercent: (percent: number) => void, signal: AbortSignal): Promise<string>;
  /** Removes what was fetched for an operation; nothing there is fine. */
  remove(operationId: string): Promise<void>;
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

/** The boot that this agent runs in. */
export interface CurrentBoot {
  readonly bootId: string;
  /** RAUC's bootname of the booted slot. */
  readonly bootname: string;
}
