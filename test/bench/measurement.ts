// SPDX-License-Identifier: Apache-2.0

export interface Measurement {
  readonly name: string;
  /** One round; it throws when what it measures does not work. */
  readonly run: () => void;
}

const WARM_UP_MS = 300;
const MEASURED_MS = 1500;

/** Rounds a second of CPU time of this process: other work on the machine counts little. */
export function roundsPerSecond({ run }: Measurement): number {
  repeat(run, WARM_UP_MS);
  const before = process.cpuUsage();
  const rounds = repeat(run, MEASURED_MS);
  const { user, system } = process.cpuUsage(before);
  return rounds / ((user + system) / 1e6);
}

function repeat(run: () => void, durationMs: number): number {
  const endMs = performance.now() + durationMs;
  let rounds = 0;
  for (; performance.now() < endMs; rounds++) run();
  return rounds;
}
