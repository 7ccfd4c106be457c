// SPDX-License-Identifier: Apache-2.0
import { formatDuration } from '../../shared/duration.ts';
import type { BrokenCheck, CheckResult, CheckSet } from './check.ts';

type GateFailureCode = 'CHECK_FAILED' | 'CHECK_BROKEN' | 'GATE_TIMED_OUT';

export type FinalVerdict =
  | { readonly type: 'passed'; readonly message: string }
  | {
      readonly type: 'failed';
      readonly code: GateFailureCode;
      readonly message: string;
      /** The names of the required checks, or of the files, that stood in the way. */
      readonly failedChecks: readonly string[];
    };

export type Verdict = { readonly type: 'pending' } | FinalVerdict;

export interface GateTime {
  readonly elapsedMs: number;
  readonly deadlineMs: number;
}

/**
 * What the results so far, by the names of the checks, mean for this boot. Only required checks count; a file that cannot be read
 * as a check counts as a required one that failed. A verdict that is not pending is final: results that come later change nothing,
 * and after the deadline none may be added.
 */
export function verdict(checkSet: CheckSet, results: ReadonlyMap<string, CheckResult>, time: GateTime): Verdict {
  if (checkSet.broken.length > 0) return brokenVerdict(checkSet.broken);
  const required = checkSet.checks.filter(({ severity }) => severity === 'required');
  const failed = required.flatMap(({ name }) => results.get(name) ?? []).filter(hasFailed);
  if (failed.length > 0) return failure('CHECK_FAILED', failed.map(describeFailed), namesOf(failed));
  const missing = required.filter(({ name }) => results.get(name)?.outcome !== 'passed');
  // A boot of which nothing is asked is no healthy one: a file that was lost would commit whatever boots.
  if (required.length === 0) return failure('CHECK_BROKEN', ['there is no required check'], []);
  if (missing.length === 0) return { type: 'passed', message: describePassed(required.length) };
  if (time.elapsedMs < time.deadlineMs) return { type: 'pending' };
  const late = missing.map(({ name }) => describeLate(name, results.get(name)?.detail ?? 'not run yet', time.deadlineMs));
  return failure('GATE_TIMED_OUT', late, namesOf(missing));
}

function brokenVerdict(broken: readonly BrokenCheck[]): FinalVerdict {
  const names = broken.map(({ file }) => file.replace(/^.*\/|\.ya?ml$/g, ''));
  return failure('CHECK_BROKEN', broken.map(describeBroken), [...new Set(names)]);
}

function hasFailed({ outcome }: CheckResult): boolean {
  return outcome === 'failed' || outcome === 'timed-out';
}

function namesOf(checks: readonly { readonly name: string }[]): string[] {
  return checks.map(({ name }) => name);
}

function failure(code: GateFailureCode, found: readonly string[], failedChecks: readonly string[]): FinalVerdict {
  const [first = '', ...others] = found;
  const more = others.length > 0 ? ` (and ${others.length} more)` : '';
  return { type: 'failed', code, message: `Cannot call this boot healthy: ${first}${more}`, failedChecks };
}

function describeFailed({ name, detail, attempts }: CheckResult): string {
  return `check "${name}" failed after ${attempts === 1 ? '1 attempt' : `${attempts} attempts`}: ${detail}`;
}

function describeLate(name: string, detail: string, deadlineMs: number): string {
  return `check "${name}" had not passed after ${formatDuration(deadlineMs)}: ${detail}`;
}

/** A broken check in one line, as compilers write it. */
export function describeBroken({ file, line, field, message }: BrokenCheck): string {
  return field === '' ? `${file}:${line}: ${message}` : `${file}:${line}: ${field}: ${message}`;
}

function describePassed(count: number): string {
  return count === 1 ? 'The one required check passed' : `All ${count} required checks passed`;
}
