// SPDX-License-Identifier: Apache-2.0
import type { LeafCondition } from '../../../agent/daemon/health/check.ts';
import type { Observation, Probe, Probes } from '../../../agent/daemon/health/probe.ts';

export type Look = (condition: LeafCondition, signal: AbortSignal) => Promise<Observation>;

const TYPES = ['unit-active', 'no-failed-units', 'tcp', 'http', 'command', 'mount-writable', 'free-space', 'clock-synchronised'] as const;

/** Probes of every type that all answer in the same way. */
export function fakeProbes(look: Look): Probes {
  return Object.fromEntries(TYPES.map((type) => [type, look as Probe])) as unknown as Probes;
}

/** Never answers, and does not heed the signal either. */
export const deaf: Look = () => new Promise(() => {});

/** Answers for each unit by its name; a unit that is not named is not looked at for ever, until the signal says so. */
export function byUnit(answers: Readonly<Record<string, boolean | Error>>): Look {
  return (condition, signal) =>
    new Promise((resolve, reject) => {
      const unit = condition.type === 'unit-active' ? condition.unit : '';
      const answer = answers[unit];
      if (answer instanceof Error) reject(answer);
      else if (answer !== undefined) resolve({ holds: answer, detail: `${unit} is ${answer ? 'active' : 'failed'}` });
      else signal.addEventListener('abort', () => reject(signal.reason));
    });
}
