// SPDX-License-Identifier: Apache-2.0
// usage: npm run bench [-- attest|fleet|memory|metrics…]
import { attestBenchmarks } from './attest.ts';
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

function rounds(name: string, measurements: readonly Measurement[]): string {
  const line = (measurement: Measurement): string =>
    `  ${Math.round(roundsPerSecond(measurement)).toLocaleString('en').padStart(9)}  ${measurement.name}\n`;
  return `${name}: rounds a second and core\n${measurements.map(line).join('')}`;
}

const asked = process.argv.slice(2);
const unknown = asked.find((name) => !Object.hasOwn(SUITES, name));
if (unknown !== undefined) {
  process.stderr.write(`bench: there is no "${unknown}"; there are ${Object.keys(SUITES).join(', ')}\n`);
  process.exit(2);
}
for (const [name, suite] of Object.entries(SUITES)) {
  if (asked.length === 0 || asked.includes(name)) process.stdout.write(await suite());
}
process.exit(0);
