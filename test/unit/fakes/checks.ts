// SPDX-License-Identifier: Apache-2.0
import type { BrokenCheck, Check, CheckResult, Outcome, Severity } from '../../../agent/daemon/health/check.ts';

/** A required check of a unit that is named after it: tried once, for a second. */
export function check(name: string, changes: Partial<Check> = {}): Check {
  return {
    name,
    description: '',
    severity: 'required',
    condition: { type: 'unit-active', unit: name },
    intervalMs: 100,
    timeoutMs: 1000,
    retries: 0,
    ...changes,
  };
}

export function advisory(name: string, changes: Partial<Check> = {}): Check {
  return check(name, { severity: 'advisory', ...changes });
}

export function result(name: string, outcome: Outcome, severity: Severity = 'required'): CheckResult {
  return { name, severity, outcome, detail: `${name} ${outcome}`, attempts: 1, durationMs: 5, at: new Date(0) };
}

export const BROKEN: BrokenCheck = {
  file: '/etc/lamadist-agent/health.d/bad.yaml',
  line: 3,
  field: 'condition.port',
  message: 'must be a whole number from 1 to 65535',
};
