// SPDX-License-Identifier: Apache-2.0
// usage: npm run bench [-- attest|fleet|memory|metrics|boot…]
import { attestBenchmarks } from './attest.ts';
import { bootBenchmark } from './boot.ts';
import { fleetBenchmark } from './fleet.ts';
import { type Measurement, roundsPerSecond } from './measurement.ts';
import { memoryBenchmark } from './memory.ts';
import { metricsBenchmark } from './metrics.ts';

/** Each gives its figures as text. */
const SUITES: Readonly<Record<string, () => Promise<string>>> = {
  attest: async () => rounds('attest', attestBenchmarks()),
  fleet: fleetBenchmark,
  memory: memoryBenchmark,
  metrics: metricsBenchmark,
};
/** What takes an emulated machine and many minutes, only whoever asks for it gets. */
const ON_REQUEST: Readonly<Record<string, () => Promise<string>>> = { boot: bootBenchmark };

function rounds(name: string, measurements: readonly Measurement[]): string {
  const line = (measurement: Measurement): string =>
    `  ${Math.round(roundsPerSecond(measurement)).toLocaleString('en').padStart(9)}  ${measurement.name}\n`;
  return `${name}: rounds a second and core\n${measurements.map(line).join('')}`;
}

const asked = process.argv.slice(2);
const known = { ...SUITES, ...ON_REQUEST };
const unknown = asked.find((name) => !Object.hasOwn(known, name));
if (unknown !== undefined) {
  process.stderr.write(`bench: there is no "${unknown}"; there are ${Object.keys(known).join(', ')}\n`);
  process.exit(2);
}
for (const [name, suite] of Object.entries(known)) {
  if (asked.length === 0 ? Object.hasOwn(SUITES, name) : asked.includes(name)) process.stdout.write(await suite());
}
process.exit(0);
