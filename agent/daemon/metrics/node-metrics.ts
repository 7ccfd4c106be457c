// SPDX-License-Identifier: Apache-2.0
import { Gauge, type Registry } from 'prom-client';
import { Failure } from '../../shared/failure.ts';
import type { Health } from '../health/health-monitor.ts';
import type { Installer, Slot } from '../update/installer.ts';

export interface NodeMetricsParts {
  readonly installer: Pick<Installer, 'slots'>;
  readonly busConnected: () => boolean;
  readonly health: () => Health;
  readonly certificateExpiry: () => Date;
  /** When the journal of the update was last written; undefined when there is none yet. */
  readonly journalWritten: () => Promise<Date | undefined>;
  readonly agentVersion: string;
}

/** A scrape does not wait longer than this for RAUC. */
const RAUC_DEADLINE_MS = 2_000;

/** The node as a scrape finds it: health, slots, neighbours, certificate and build. */
export function nodeMetrics(registry: Registry, parts: NodeMetricsParts): void {
  const gauge = <const L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Gauge<L>({ name, help, labelNames: [...labelNames], registers: [registry], collect: () => look() });

  const build = gauge('lamadist_agent_build_info', 'Version of the agent and of the Node.js that runs it.', ['version', 'node_version']);
  build.set({ version: parts.agentVersion, node_version: process.version }, 1);

  const bus = gauge('lamadist_bus_connected', 'Whether the agent is connected to the system bus.');
  const rauc = gauge('lamadist_rauc_reachable', 'Whether RAUC answers.');
  const expiry = gauge(
    'lamadist_certificate_expiry_timestamp_seconds',
    "When the node's own certificate expires, in seconds since the epoch.",
  );

  const journal = gauge(
    'lamadist_journal_written_timestamp_seconds',
    'When the journal of the update was last written, in seconds since the epoch; 0 for never.',
  );

  const slotInfo = gauge('lamadist_slot_info', 'What a slot holds.', ['slot', 'bootname', 'version', 'status']);
  const slotState = gauge('lamadist_slot_state', 'Whether a slot is booted, primary, or good (1) or not (0).', ['slot', 'state']);

  const verdict = gauge('lamadist_health_gate_verdict', "Whether this is the gate's verdict on this boot.", ['verdict']);
  const passed = gauge('lamadist_health_check_passed', 'Whether a check passed when it was last run.', ['check', 'severity']);
  const seconds = gauge('lamadist_health_check_duration_seconds', 'How long the last run of a check took.', ['check']);
  const broken = gauge('lamadist_health_check_files_broken', 'Check files that cannot be read as one.');

  function setHealth(): void {
    const health = parts.health();
    for (const name of ['pending', 'passed', 'failed'] as const) verdict.set({ verdict: name }, health.verdict.type === name ? 1 : 0);
    broken.set(new Set(health.broken.map(({ file }) => file)).size);
    passed.reset();
    seconds.reset();
    for (const { name, severity, outcome, durationMs } of health.results) {
      if (outcome === 'pending') continue;
      passed.set({ check: name, severity }, outcome === 'passed' ? 1 : 0);
      seconds.set({ check: name }, durationMs / 1000);
    }
  }

  function setSlots(slots: readonly Slot[]): void {
    slotInfo.reset();
    slotState.reset();
    for (const { name: slot, bootname, version, status, booted, primary, bootStatus } of slots) {
      slotInfo.set({ slot, bootname, version, status }, 1);
      const states = { booted, primary, good: bootStatus === 'good' };
      for (const [state, holds] of Object.entries(states)) slotState.set({ slot, state }, holds ? 1 : 0);
    }
  }

  async function setRauc(): Promise<void> {
    try {
      setSlots(await parts.installer.slots(AbortSignal.timeout(RAUC_DEADLINE_MS)));
      rauc.set(1);
    } catch (error) {
      // While it writes a slot RAUC refuses to tell about slots; what it told last is still true then.
      const writing = Failure.from(error).code === 'UPDATE_IN_PROGRESS';
      rauc.set(writing ? 1 : 0);
      if (!writing) setSlots([]);
    }
  }

  /** A scrape asks every gauge at once; one look at the node, and one question to RAUC, serves them all. */
  let looking: Promise<void> | undefined;
  const look = (): Promise<void> => {
    looking ??= takeALook().finally(() => {
      looking = undefined;
    });
    return looking;
  };

  async function takeALook(): Promise<void> {
    bus.set(parts.busConnected() ? 1 : 0);
    expiry.set(parts.certificateExpiry().getTime() / 1000);
    journal.set(((await parts.journalWritten())?.getTime() ?? 0) / 1000);
    setHealth();
    await setRauc();
  }
}
