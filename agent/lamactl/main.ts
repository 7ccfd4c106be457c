// SPDX-License-Identifier: Apache-2.0
import { processWorld } from './process-world.ts';
import { lamactl } from './program.ts';

// Whoever reads our output may stop early (head, less); that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit();
  throw error;
});

void lamactl(process.argv.slice(2), processWorld()).then((exitCode) => {
  process.exitCode = exitCode;
});
