// SPDX-License-Identifier: Apache-2.0
import { defineConfig } from 'vitest/config';

/** `npm run test:vm`: the scenarios of the whole node in virtual machines, one machine at a time. */
export default defineConfig({
  root: new URL('..', import.meta.url).pathname,
  test: {
    include: ['test/integration/node/*.test.ts', 'test/image/*.test.ts'],
    maxWorkers: 1,
    fileParallelism: false,
    testTimeout: 1_800_000,
    hookTimeout: 600_000,
    teardownTimeout: 60_000,
  },
});
