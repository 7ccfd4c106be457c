// SPDX-License-Identifier: Apache-2.0
// usage: npm run bench [-- attest]
import { attestBenchmarks } from './attest.ts';
import { type Measurement, roundsPerSecond } from './measurement.ts';

const SUITES: Readonly<Record<string, () => readonly Measurement[]>> = { attest: attestBenchmarks };

const asked = process.argv.slice(2);
const unknown = asked.find((name) => !Object.hasOwn(SUITES, name));
if (unknown !== undefined) {
  process.stderr.write(`bench: there is no "${unknown}"; there are ${Object.keys(SUITES).join(', ')}\n`);
  process.exit(2);
}
for (const [name, suite] of Object.entries(SUITES)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  process.stdout.write(`${name}: rounds a second and core\n`);
  for (const measurement of suite()) {
    process.stdout.write(`  ${Math.round(roundsPerSecond(measurement)).toLocaleString('en').padStart(9)}  ${measurement.name}\n`);
  }
}
