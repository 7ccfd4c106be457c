// SPDX-License-Identifier: Apache-2.0
import { abortScope } from '../timing/abort-scope.ts';
import type { Check, CheckResult, CheckSet } from './check.ts';
import { type FinalVerdict, verdict } from './gate.ts';
import { notRunYet, type RunnerPorts, runCheck } from './runner.ts';

export interface GateTimes {
  /** On the monotonic clock. */
  readonly startMs: number;
  /** After the start. */
  readonly deadlineMs: number;
}

export interface GateReport {
  readonly verdict: FinalVerdict;
  /** In the order of the checks. */
  readonly results: readonly CheckResult[];
}

/** Why the checks that are still under way are stopped. */
const DECIDED = new Error('The gate is decided');

/**
 * Runs the checks, all at the same time, until the verdict is final. A check that is still under way then, such as a slow advisory
 * one, is stopped, for it could not change the verdict: it stays pending, or is timed out where the gate itself is. Rejects with
 * the signal's reason, or with what onResult threw.
 */
export async function runGate(
  checkSet: CheckSet,
  { startMs, deadlineMs }: GateTimes,
  ports: RunnerPorts,
  signal: AbortSignal,
  onResult: (result: CheckResult) => void,
): Promise<GateReport> {
  const { clock } = ports;
  const elapsedMs = () => clock.monotonicMs() - startMs;
  const results = new Map(checkSet.checks.map((check) => [check.name, notRunYet(check, clock.now())]));
  const judge = () => verdict(checkSet, results, { elapsedMs: elapsedMs(), deadlineMs });
  const publish = (result: CheckResult) => {
    results.set(result.name, result);
    onResult(result);
  };

  const decided = await abortScope(signal, async (scope) => {
    let current = judge();
    const settle = () => {
      current = judge();
      if (current.type !== 'pending') scope.abort(DECIDED);
    };
    const run = async (check: Check) => {
      for await (const result of runCheck(check, ports, scope.signal)) {
        publish(result);
        settle();
      }
    };
    settle();
    const jobs = [clock.sleep(deadlineMs - elapsedMs(), scope.signal).then(settle), ...checkSet.checks.map(run)];
    await Promise.all(jobs.map((job) => job.catch((thrown) => scope.abort(thrown))));
    if (current.type === 'pending') throw scope.signal.reason;
    return current;
  });

  if (decided.type === 'failed' && decided.code === 'GATE_TIMED_OUT') {
    for (const result of results.values()) if (result.outcome === 'pending') publish(cutOff(result));
  }
  return { verdict: decided, results: [...results.values()] };
}

function cutOff(result: CheckResult): CheckResult {
  return { ...result, outcome: 'timed-out', detail: `still under way when the gate ended: ${result.detail}` };
}
