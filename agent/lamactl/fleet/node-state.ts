// SPDX-License-Identifier: Apache-2.0
import type { Device, Health, Phase, Update } from './node.ts';

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
  if (judgement.state === 'unhealthy' || phase === 'idle' || hasEnded(phase)) return judgement;
  return { state: 'updating', why: update?.progress?.message ?? '' };
}

/** The verdict of the checks. A verdict of this boot does not outlive a required check that fails now. */
export function judgeHealth(health: Health): Judgement & { readonly state: 'healthy' | 'unhealthy' | 'unknown' } {
  const failing = health.checks.filter(
    ({ severity, outcome }) => severity === 'required' && (outcome === 'failed' || outcome === 'timed-out'),
  );
  if (failing.length > 0) {
    return {
      state: 'unhealthy',
      why: failing.map(({ name, outcome }) => `${name} ${outcome === 'failed' ? 'failed' : 'timed out'}`).join(', '),
    };
  }
  if (health.brokenChecks.length > 0) {
    return { state: 'unhealthy', why: `cannot read ${health.brokenChecks.map(({ file }) => file).join(', ')}` };
  }
  if (health.verdict === 'failed') return { state: 'unhealthy', why: 'the health gate failed on this boot' };
  if (health.verdict === 'passed') return { state: 'healthy', why: '' };
  return { state: 'unknown', why: 'the health checks are still running' };
}
