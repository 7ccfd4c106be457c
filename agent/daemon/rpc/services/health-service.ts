// SPDX-License-Identifier: Apache-2.0
import { lamadist } from '../../../shared/gen/messages.js';
import type { HealthServiceHandlers } from '../../../shared/gen/services.ts';
import type { Health, HealthMonitor } from '../../health/health-monitor.ts';
import { checkRecord } from '../../update/records/check-record.ts';
import { unary } from '../handlers.ts';
import { checkMessage } from '../messages/update-message.ts';

const { GateVerdict } = lamadist.agent.v1;

const VERDICT = {
  pending: GateVerdict.GATE_VERDICT_PENDING,
  passed: GateVerdict.GATE_VERDICT_PASSED,
  failed: GateVerdict.GATE_VERDICT_FAILED,
} as const;

export function healthService(monitor: Pick<HealthMonitor, 'health' | 'runOnce'>): HealthServiceHandlers {
  return {
    getHealth: unary(() => healthAnswer(monitor)),
    runChecks: unary(async (_request, { signal }) => healthMessage(await monitor.runOnce(signal))),
  };
}

/** The last result of every check, and the gate's verdict. */
export function healthAnswer({ health }: Pick<HealthMonitor, 'health'>) {
  return { verdict: VERDICT[health.verdict.type], ...healthMessage(health) };
}

function healthMessage({ results, broken }: Health) {
  return { checks: results.map((result) => checkMessage(checkRecord(result))), brokenChecks: broken.map((each) => ({ ...each })) };
}
