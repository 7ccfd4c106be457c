// SPDX-License-Identifier: Apache-2.0
import type { BOOT_STATUSES, OUTCOMES, REACHABILITIES, SEVERITIES, VERDICTS } from './wire/wire-names.ts';

/* What a node is and how it fares; see node.ts for the rules. */

type Reachability = (typeof REACHABILITIES)[number];
type BootStatus = (typeof BOOT_STATUSES)[number];
export type Outcome = (typeof OUTCOMES)[number];
type Severity = (typeof SEVERITIES)[number];
type Verdict = (typeof VERDICTS)[number];

export interface Slot {
  readonly name: string;
  readonly bootname: string;
  readonly device: string;
  readonly booted: boolean;
  readonly primary: boolean;
  readonly bootStatus: BootStatus;
  readonly version: string;
  readonly status: string;
  readonly installedAt?: string;
}

export interface Device {
  readonly hostname: string;
  readonly machineId: string;
  readonly bootId: string;
  readonly bootedAt?: string;
  readonly imageId: string;
  readonly imageVersion: string;
  readonly kernelRelease: string;
  readonly architecture: string;
  readonly agentVersion: string;
  readonly compatible: string;
  readonly slots: readonly Slot[];
  readonly rauc: Reachability;
  readonly bus: Reachability;
}

export interface CheckResult {
  readonly name: string;
  readonly severity: Severity;
  readonly outcome: Outcome;
  readonly detail: string;
  readonly attempts: number;
  /** Seconds, as proto3 JSON writes a duration: `0.120s`. */
  readonly duration?: string;
  readonly at?: string;
}

interface BrokenCheck {
  readonly file: string;
  readonly line: number;
  readonly field: string;
  readonly message: string;
}

export interface Checks {
  readonly checks: readonly CheckResult[];
  readonly brokenChecks: readonly BrokenCheck[];
}

export interface Health extends Checks {
  /** The gate's verdict on this boot. */
  readonly verdict: Verdict;
}
