// SPDX-License-Identifier: Apache-2.0
import { defineConfig } from 'vitest/config';

const project = (name: string, include: string, maxWorkers: number) => ({
  extends: true as const,
  test: { name, include: [include], maxWorkers },
});

export default defineConfig({
  root: new URL('..', import.meta.url).pathname,
  test: {
    // Whole nodes take seconds to boot; every wait inside a test has a deadline of its own.
    testTimeout: 30_000,
    hookTimeout: 60_000,
    teardownTimeout: 30_000,
    projects: [
      project('unit', 'test/unit/**/*.test.ts', 2),
      project('architecture', 'test/architecture/**/*.test.ts', 1),
      project('integration', 'test/integration/**/*.test.ts', 2),
    ],
  },
});
