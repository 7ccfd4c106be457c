// SPDX-License-Identifier: Apache-2.0
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './machine/selection/longest-first.ts';
// Refuses, before anything runs, what LAMADIST_SCENARIOS cannot say.
import './machine/selection/machine-scenarios.ts';

const project = (name: string, ...include: readonly string[]) => ({ extends: true as const, test: { name, include: [...include] } });

/**
 * The whole node in virtual machines: `npm run test:vm`, and `npm run test:power-cut`, which takes an hour. Two tests at a time:
 * a boot keeps little more than one core busy.
 */
export default defineConfig({
  root: new URL('..', import.meta.url).pathname,
  test: {
    projects: [
      project('machine', 'test/integration/node/*.test.ts', 'test/machine/*.test.ts'),
      project('power-cut', 'test/machine/power-cut/*.test.ts'),
      project('arm64', 'test/machine/arm64/*.test.ts'),
    ],
    setupFiles: ['test/machine/selection/choose-scenarios.ts'],
    // Says of each test that is skipped why.
    reporters: ['verbose'],
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    testTimeout: 1_800_000,
    hookTimeout: 600_000,
    teardownTimeout: 60_000,
  },
});
