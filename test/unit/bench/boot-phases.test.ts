// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { medianOf, phasesOf, tableOf } from '../../bench/boot/phases.ts';

const PROPERTIES = [
  'InitRDTimestampMonotonic=3000000',
  'UserspaceTimestampMonotonic=9000000',
  'FinishTimestampMonotonic=29000000',
  'ActiveEnterTimestampMonotonic=25000000',
  '',
].join('\n');

describe('the phases of a boot', () => {
  it('follow one another, and lead from the power button to the agent', () => {
    expect(phasesOf(PROPERTIES, 10_000)).toEqual({
      firmwareMs: 10_000,
      kernelMs: 3_000,
      initrdMs: 6_000,
      userspaceMs: 20_000,
      readyMs: 35_000,
    });
  });

  it('cannot be told of a boot that has not finished', () => {
    expect(() => phasesOf(PROPERTIES.replace('=29000000', '=0'), 0)).toThrow('systemd does not say FinishTimestampMonotonic');
  });

  it('have a median each, of an odd number of boots and of an even one', () => {
    const boot = (firmwareMs: number) => ({ firmwareMs, kernelMs: 1, readyMs: 2 });
    expect(medianOf([boot(3), boot(1), boot(9)])).toEqual(boot(3));
    expect(medianOf([boot(3), boot(1)])).toEqual(boot(2));
  });

  it('are shown beside those of a bare machine, as ratios where it has them', () => {
    const table = tableOf(phasesOf(PROPERTIES, 10_000), { firmwareMs: 8_000, kernelMs: 2_000, readyMs: 10_000 });
    expect(table).toMatch(/^ +10\.0 +8\.0 +1\.3 {2}firmware$/m);
    expect(table).toMatch(/^ +6\.0 +- {10}initrd$/m);
    expect(table).toMatch(/^ +35\.0 +10\.0 +3\.5 {2}power button/m);
  });
});
