// SPDX-License-Identifier: Apache-2.0

/** What a check asks of the node. `all-of` and `any-of` hold others, at most four levels deep. */
export type Condition = LeafCondition | CompositeCondition;

export type CompositeCondition =
  | { readonly type: 'all-of'; readonly conditions: readonly Condition[] }
  | { readonly type: 'any-of'; readonly conditions: readonly Condition[] };

export type LeafCondition =
  | { readonly type: 'unit-active'; readonly unit: string }
  | { readonly type: 'no-failed-units'; readonly except: readonly string[] }
  | { readonly type: 'tcp'; readonly host: string; readonly port: number }
  /** Without a status any from 200 to 299 will do; without a CA file the authorities that Node.js knows are trusted. */
  | { readonly type: 'http'; readonly url: string; readonly status?: readonly number[]; readonly caFile?: string }
  | { readonly type: 'command'; readonly argv: readonly string[] }
  /** `persistent`: and what is written is still there after a reboot. */
  | { readonly type: 'mount-writable'; readonly path: string; readonly persistent: boolean }
  | { readonly type: 'free-space'; readonly path: string; readonly minimumBytes: number }
  | { readonly type: 'clock-synchronised' };

export type Severity = 'required' | 'advisory';

export interface Check {
  /** The name of its file without `.yaml`. */
  readonly name: string;
  readonly description: string;
  readonly severity: Severity;
  readonly condition: Condition;
  /** The pause between two attempts. */
  readonly intervalMs: number;
  /** The most that one attempt may take. */
  readonly timeoutMs: number;
  /** Attempts after the first one that failed. */
  readonly retries: number;
}

/** A check file that cannot be read as one. It fails the gate: a check that nobody runs protects nobody. */
export interface BrokenCheck {
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  /** The path of the field, for example `condition.port`; empty when the file is no YAML mapping at all. */
  readonly field: string;
  readonly message: string;
}

export interface CheckSet {
  readonly checks: readonly Check[];
  readonly broken: readonly BrokenCheck[];
}

export type Outcome = 'pending' | 'passed' | 'failed' | 'timed-out';

export interface CheckResult {
  readonly name: string;
  readonly severity: Severity;
  readonly outcome: Outcome;
  /** What was found, as a sentence. */
  readonly detail: string;
  readonly attempts: number;
  readonly durationMs: number;
  readonly at: Date;
}
