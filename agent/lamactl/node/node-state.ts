// SPDX-License-Identifier: Apache-2.0
import type { Checks, Device, Health } from './node-device.ts';
import type { Phase, Update } from './node-update.ts';

/** The one word for a node. Only a node that proved it is healthy. */
export type State = 'healthy' | 'unhealthy' | 'trial' | 'updating' | 'unknown';

export interface Judgement {
  readonly state: State;
  /** Why it is not healthy; empty when it is. */
  readonly why: string;
}

const TRIAL: ReadonlySet<Phase> = new Set(['trial', 'checking', 'committing']);
const ENDED: ReadonlySet<Phase> = new Set(['committed', 'rolled-back', 'failed']);

/** Whether an update has come to its end. */
export function hasEnded(phase: Phase): boolean {
  return ENDED.has(phase);
}

/** Whether a node has an update that is neither at its end nor none at all. */
export function isUnderWay(update: Update | undefined): update is Update {
  return update !== undefined && update.phase !== 'idle' && !hasEnded(update.phase);
}

/** What a node that answered is to be called. A node that did not is unknown. */
export function judgeNode(device: Device, health: Health, update: Update | undefined): Judgement {
  const phase = update?.phase ?? 'idle';
  if (device.rauc !== 'reachable') {
    return device.rauc === 'unreachable'
      ? { state: 'unhealthy', why: 'RAUC does not answer' }
      : { state: 'unknown', why: 'the agent cannot tell whether RAUC answers' };
  }
  if (phase === 'unknown') return { state: 'unknown', why: 'its update is in a phase that this lamactl does not know' };
  if (TRIAL.has(phase)) return { state: 'trial', why: 'the new version is not committed yet' };
  const judgement = judgeHealth(health);
  // One that only waits for its window changes nothing yet.
  if (judgement.state === 'unhealthy' || phase === 'idle' || phase === 'scheduled' || hasEnded(phase)) return judgement;
  return { state: 'updating', why: update?.progress?.message ?? '' };
}

/** The gate's verdict on this boot, which does not outlive a required check that fails now. */
export function judgeHealth(health: Health): Judgement {
  const now = judgeChecks(health);
  if (now.state === 'unhealthy') return now;
  if (health.verdict === 'passed') return HEALTHY;
  return health.verdict === 'failed' ? { state: 'unhealthy', why: 'the health gate failed on this boot' } : RUNNING;
}

/** What the results of a run say by themselves. */
export function judgeChecks({ checks, brokenChecks }: Checks): Judgement {
  const required = checks.filter(({ severity }) => severity !== 'advisory');
  const failing = required.filter(({ outcome }) => outcome === 'failed' || outcome === 'timed-out');
  const problems = [
    ...failing.map(({ name, outcome }) => `${name} ${outcome === 'failed' ? 'failed' : 'timed out'}`),
    ...brokenChecks.map(({ file }) => `${file} cannot be read`),
  ];
  if (problems.length > 0) return { state: 'unhealthy', why: problems.join(', ') };
  return required.every(({ outcome }) => outcome === 'passed') ? HEALTHY : RUNNING;
}

const HEALTHY: Judgement = { state: 'healthy', why: '' };
const RUNNING: Judgement = { state: 'unknown', why: 'the health checks are still running' };
