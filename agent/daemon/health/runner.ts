// SPDX-License-Identifier: Apache-2.0
import { formatDuration } from '../../shared/duration.ts';
import type { Clock } from '../timing/clock.ts';
import { within } from '../timing/within.ts';
import type { Check, CheckResult, Outcome } from './check.ts';
import { evaluate } from './evaluate.ts';
import type { Probes } from './probe.ts';
import type { Turns } from './turns.ts';

export interface RunnerPorts {
  readonly probes: Probes;
  readonly clock: Clock;
  /** Bounds how many checks look at the node at the same time. */
  readonly turns: Turns;
}

const LONGEST_DETAIL = 500;

/**
 * Runs one check and yields what every attempt came to: `pending` while another will follow, and last its final outcome. Throws
 * the signal's reason as soon as it is aborted, even when a probe does not heed it.
 */
export async function* runCheck(check: Check, ports: RunnerPorts, signal: AbortSignal): AsyncGenerator<CheckResult, void> {
  const { clock } = ports;
  const startMs = clock.monotonicMs();
  for (let attempts = 1; ; attempts += 1) {
    const { outcome, detail } = await attempt(check, ports, signal);
    const final = outcome === 'passed' || attempts > check.retries;
    yield {
      ...notRunYet(check, clock.now()),
      outcome: final ? outcome : 'pending',
      detail: oneLine(detail),
      attempts,
      durationMs: Math.round(clock.monotonicMs() - startMs),
    };
    if (final) return;
    await clock.sleep(check.intervalMs, signal);
  }
}

/** The result of a check before its first attempt has ended. */
export function notRunYet({ name, severity }: Check, at: Date): CheckResult {
  return { name, severity, outcome: 'pending', detail: 'not run yet', attempts: 0, durationMs: 0, at };
}

interface Attempt {
  readonly outcome: Outcome;
  readonly detail: string;
}

/** The time that an attempt may take counts from when its turn has come. */
async function attempt(check: Check, { probes, clock, turns }: RunnerPorts, signal: AbortSignal): Promise<Attempt> {
  const look = async (inner: AbortSignal): Promise<Attempt> => {
    const { holds, detail } = await evaluate(check.condition, probes, inner);
    return { outcome: holds ? 'passed' : 'failed', detail };
  };
  const late = (): Attempt => ({ outcome: 'timed-out', detail: `no answer within ${formatDuration(check.timeoutMs)}` });
  try {
    return await turns.take(signal, () => within(clock, check.timeoutMs, signal, look, late));
  } catch (thrown) {
    signal.throwIfAborted();
    return { outcome: 'failed', detail: thrown instanceof Error ? thrown.message : String(thrown) };
  }
}

/** Details come from commands and from the network, and go to terminals and journals. */
function oneLine(text: string): string {
  const line = text.replace(/[\p{Cc}\s]+/gu, ' ').trim();
  return line.length > LONGEST_DETAIL ? `${line.slice(0, LONGEST_DETAIL - 1)}…` : line;
}
