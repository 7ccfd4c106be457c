// SPDX-License-Identifier: Apache-2.0
import type { Logger } from 'pino';
import { type Config, OWN_CHECKS } from '../config.ts';
import { readCheckDirectory } from '../health/check-directory.ts';
import { HealthMonitor } from '../health/health-monitor.ts';
import { linuxProbes } from '../platform/linux/probes.ts';
import { systemdProbes } from '../platform/systemd/probes.ts';
import { systemClock as clock } from '../timing/clock.ts';
import type { Gate } from '../update/ports.ts';
import { checkRecord } from '../update/records/check-record.ts';
import type { Events } from './events.ts';
import type { Neighbours } from './neighbours.ts';

/** The checks of the node, and the gate that a trial must pass. */
export function healthOf(config: Config['health'], { bus }: Neighbours, { events }: Events, logger: Logger) {
  const monitor = new HealthMonitor({
    load: () => readCheckDirectory(config.folders, OWN_CHECKS),
    probes: { ...linuxProbes, ...systemdProbes(bus) },
    clock,
    logger,
    onChange: ({ name, severity, outcome, detail }) => void events.record({ type: 'check-changed', name, severity, outcome, detail }),
  });
  const gate: Gate = async (onCheck, signal) => {
    const { verdict } = await monitor.runGate(config['gate-deadline'], signal, (result) => onCheck(checkRecord(result)));
    void events.record({ type: 'gate-decided', verdict: verdict.type, message: verdict.message });
    return verdict.type === 'passed' ? { passed: true } : { ...verdict, passed: false };
  };
  return { monitor, gate };
}
