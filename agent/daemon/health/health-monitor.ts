// SPDX-License-Identifier: Apache-2.0
import type { Logger } from 'pino';
import { abortScope } from '../timing/abort-scope.ts';
import type { Clock } from '../timing/clock.ts';
import { within } from '../timing/within.ts';
import type { BrokenCheck, Check, CheckResult } from './check.ts';
import type { CheckDirectory } from './check-directory.ts';
import { describeBroken, type Verdict } from './gate.ts';
import { type GateReport, runGate } from './gate-run.ts';
import type { Probes } from './probe.ts';
import { notRunYet, type RunnerPorts, runCheck } from './runner.ts';
import { Turns } from './turns.ts';

export interface HealthPorts {
  /** Reads the check files anew. */
  readonly load: () => Promise<CheckDirectory>;
  readonly probes: Probes;
  readonly clock: Clock;
  readonly logger: Pick<Logger, 'info' | 'warn' | 'error'>;
  /** Hears when a check passes that did not, or the other way round. That it passes from the start is no news. */
  readonly onChange?: (result: CheckResult) => void;
}

export interface Health {
  /** The gate's verdict on this boot; later runs do not change it. */
  readonly verdict: Verdict;
  /** The last result of every check, in the order of their names. */
  readonly results: readonly CheckResult[];
  readonly broken: readonly BrokenCheck[];
}

const CHECKS_AT_A_TIME = 8;
const LOAD_TIMEOUT_MS = 30_000;
const NOTHING: CheckDirectory = { checks: [], broken: [], masked: [] };
const LOADED_TOO_LATE: CheckDirectory = {
  ...NOTHING,
  broken: [{ file: 'health.d', line: 1, field: '', message: 'not read within 30s: look at the file system that holds it' }],
};

/** The health of this node: runs the gate, runs the checks again when asked and from time to time, and keeps their last results. */
export class HealthMonitor {
  readonly #ports: HealthPorts;
  readonly #runner: RunnerPorts;
  #verdict: Verdict = { type: 'pending' };
  #directory = NOTHING;
  #results = new Map<string, CheckResult>();

  constructor(ports: HealthPorts) {
    this.#ports = ports;
    this.#runner = { probes: ports.probes, clock: ports.clock, turns: new Turns(CHECKS_AT_A_TIME) };
  }

  get health(): Health {
    return { verdict: this.#verdict, results: [...this.#results.values()], broken: this.#directory.broken };
  }

  /**
   * Judges this boot: passes, or fails at the latest when the deadline is over. Every result is told as it comes. Rejects with the
   * signal's reason, or with what onResult threw.
   */
  async runGate(deadlineMs: number, signal: AbortSignal, onResult: (result: CheckResult) => void = () => {}): Promise<GateReport> {
    const startMs = this.#ports.clock.monotonicMs();
    const directory = await this.#reload(signal);
    const report = await runGate(directory, { startMs, deadlineMs }, this.#runner, signal, (result) => {
      this.#keep(result);
      onResult(result);
    });
    this.#verdict = report.verdict;
    this.#ports.logger.info({ verdict: report.verdict }, 'The health gate is decided');
    return report;
  }

  /** Runs every check now, one attempt each. Ends by the checks' own timeouts; rejects with the signal's reason. */
  runOnce(signal: AbortSignal): Promise<Health> {
    return this.#runAll(signal, (check) => ({ ...check, retries: 0 }));
  }

  /** Runs the checks again, retries and all, with this pause between two runs, until the signal is aborted. */
  async watch(pauseMs: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#ports.clock.sleep(pauseMs, signal);
        await this.#runAll(signal, (check) => check);
      } catch (error) {
        if (!signal.aborted) this.#ports.logger.error({ err: error }, 'Cannot run the health checks');
      }
    }
  }

  async #runAll(signal: AbortSignal, prepare: (check: Check) => Check): Promise<Health> {
    const { checks } = await this.#reload(signal);
    await abortScope(signal, (scope) => Promise.all(checks.map((check) => this.#run(prepare(check), scope.signal))));
    return this.health;
  }

  /** Keeps the final result only: until there is one, the last run's still says the most. */
  async #run(check: Check, signal: AbortSignal): Promise<void> {
    for await (const result of runCheck(check, this.#runner, signal)) if (result.outcome !== 'pending') this.#keep(result);
  }

  async #reload(signal: AbortSignal): Promise<CheckDirectory> {
    const { clock, load } = this.#ports;
    const directory = await within(clock, LOAD_TIMEOUT_MS, signal, load, () => LOADED_TOO_LATE);
    const before = this.#results;
    this.#results = new Map(directory.checks.map((check) => [check.name, before.get(check.name) ?? notRunYet(check, clock.now())]));
    this.#logChanges(directory);
    this.#directory = directory;
    return directory;
  }

  #logChanges({ broken, masked }: CheckDirectory): void {
    const { logger } = this.#ports;
    const isNew = (file: BrokenCheck) => !this.#directory.broken.some((known) => describeBroken(known) === describeBroken(file));
    for (const file of broken.filter(isNew)) logger.error({ ...file }, 'A health check file is broken');
    const newlyMasked = masked.filter((name) => !this.#directory.masked.includes(name));
    if (newlyMasked.length > 0) logger.warn({ masked: newlyMasked }, 'Health checks are masked');
  }

  /** A check whose file is gone since it was begun is forgotten. */
  #keep(result: CheckResult): void {
    const before = this.#results.get(result.name);
    if (!before) return;
    this.#results.set(result.name, result);
    if (result.outcome === 'pending' || result.outcome === before.outcome) return;
    if (before.outcome !== 'pending' || result.outcome !== 'passed') this.#ports.onChange?.(result);
    if (result.outcome === 'passed') this.#ports.logger.info({ ...result }, 'A health check passes now');
    else this.#ports.logger.warn({ ...result }, 'A health check does not pass');
  }
}
