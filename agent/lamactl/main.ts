// SPDX-License-Identifier: Apache-2.0
import { setFlagsFromString } from 'node:v8';
import { isMainThread } from 'node:worker_threads';

// A command is short, and most of what it makes is soon of no use: V8 is to clear it away rather than to ask for more memory, and to
// optimise only what runs long.
for (const flag of ['--max-semi-space-size=2', '--semi-space-growth-factor=1', '--interrupt-budget=1000000']) setFlagsFromString(flag);

// A thread asks its part of the nodes, and needs nothing else of lamactl.
if (isMainThread) void main();
else void import('./fleet/poll/poll-worker.ts').then(({ pollInWorker }) => pollInWorker());

async function main(): Promise<void> {
  // Whoever reads our output may stop early (head, less); that is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit();
    throw error;
  });
  const [{ processWorld }, { lamactl }] = await Promise.all([import('./process-world.ts'), import('./program.ts')]);
  process.exitCode = await lamactl(process.argv.slice(2), processWorld());
}
