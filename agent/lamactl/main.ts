// SPDX-License-Identifier: Apache-2.0
import { setFlagsFromString } from 'node:v8';

// A command is short, and most of what it makes is soon of no use: V8 is to clear it away rather than to ask for more memory, and to
// optimise only what runs long.
for (const flag of ['--max-semi-space-size=2', '--semi-space-growth-factor=1', '--interrupt-budget=1000000']) setFlagsFromString(flag);

void main();

async function main(): Promise<void> {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', whenNobodyReads);
  const [{ processWorld }, { lamactl }] = await Promise.all([import('./process-world.ts'), import('./program.ts')]);
  process.exitCode = await lamactl(process.argv.slice(2), processWorld());
}

let isEnding = false;

/** Whoever reads our output may stop early (head, less), or be gone with the terminal: that is no failure, and like Ctrl-C to whoever hears of that. */
function whenNobodyReads(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
  if (isEnding) return;
  isEnding = true;
  if (process.listenerCount('SIGHUP') > 0) return void process.emit('SIGHUP');
  // In the middle of something, what was begun may go on on the nodes.
  void import('./exit-code.ts').then(({ EXIT_CODES }) => process.exit(process.exitCode ?? EXIT_CODES['under-way'].code));
}
