// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDiskstats } from '../../../../../../agent/daemon/platform/linux/host/disks.ts';
import { parseFileNr, parseLoadavg, parsePressure } from '../../../../../../agent/daemon/platform/linux/host/load.ts';
import { parseMeminfo, parseVmstat } from '../../../../../../agent/daemon/platform/linux/host/memory.ts';
import { parseNetDev } from '../../../../../../agent/daemon/platform/linux/host/network.ts';
import { parseStat } from '../../../../../../agent/daemon/platform/linux/host/stat.ts';
import { parseMillidegrees } from '../../../../../../agent/daemon/platform/linux/host/temperatures.ts';

describe('what the kernel tells of the machine', () => {
  it('is read from /proc/stat, in seconds and core by core', () => {
    const text = [
      'cpu  300 20 100 1000 10 0 5 2 0 0',
      'cpu0 100 10 50 500 5 0 3 1 0 0',
      'cpu1 200 10 50 500 5 0 2 1 0 0',
      'intr 123 0 9',
      'ctxt 4567',
      'btime 1700000000',
      'processes 89',
      'procs_running 3',
      'procs_blocked 1',
    ].join('\n');
    const { cores, ...rest } = parseStat(text);
    expect(cores.map(({ cpu }) => cpu)).toEqual(['0', '1']);
    expect(cores[1]?.seconds).toEqual({ user: 2, nice: 0.1, system: 0.5, idle: 5, iowait: 0.05, irq: 0, softirq: 0.02, steal: 0.01 });
    expect(rest).toEqual({ bootedAtSeconds: 1_700_000_000, contextSwitches: 4567, forks: 89, running: 3, blocked: 1 });
  });

  it('is read from a /proc/stat of an old kernel, which knows fewer modes', () => {
    expect(parseStat('cpu0 100 10 50 500').cores[0]?.seconds).toMatchObject({ idle: 5, steal: 0 });
  });

  it('is read from /proc/meminfo, in bytes, and only what is known', () => {
    const text = 'MemTotal:        2048 kB\nMemAvailable:       1024 kB\nHugePages_Total:       7\nSReclaimable:  5 kB\nSwapFree:  0 kB';
    expect(parseMeminfo(text)).toEqual({ total: 2 << 20, available: 1 << 20, 'swap-free': 0 });
  });

  it('is read from /proc/vmstat', () => {
    expect(parseVmstat('pgfault 9\npgmajfault 42\noom_kill 2\n')).toEqual({ majorFaults: 42, outOfMemoryKills: 2 });
  });

  it('is read from /proc/loadavg and file-nr', () => {
    expect(parseLoadavg('0.20 0.18 0.12 1/80 11206')).toEqual([0.2, 0.18, 0.12]);
    expect(parseFileNr('1024\t0\t9223372036854775807')).toEqual({ open: 1024, maximum: 2 ** 63 });
  });

  it('is read from /proc/pressure, in seconds', () => {
    const text = 'some avg10=1.00 avg60=0.00 avg300=0.00 total=2500000\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=1000000';
    expect(parsePressure('io', text)).toEqual({ resource: 'io', someSeconds: 2.5, allSeconds: 1 });
    expect(parsePressure('cpu', 'some avg10=0.00 total=7000000')).toEqual({ resource: 'cpu', someSeconds: 7, allSeconds: 0 });
  });

  it('is read from /proc/diskstats, for whole disks that are disks', () => {
    const text = [
      '   8       0 sda 10 1 100 500 20 2 200 1000 0 1500 2500 0 0 0 0 0 0',
      '   8       1 sda1 9 1 90 400 20 2 200 1000 0 1400 2400 0 0 0 0 0 0',
      '   7       0 loop0 1 0 8 0 0 0 0 0 0 0 0 0 0 0 0 0 0',
      ' 254       0 dm-0 5 0 40 100 0 0 0 0 0 100 100',
    ].join('\n');
    const disks = parseDiskstats(text, new Set(['sda', 'loop0', 'dm-0']));
    expect(disks.map(({ device }) => device)).toEqual(['sda', 'dm-0']);
    expect(disks[0]).toEqual({
      device: 'sda',
      reads: 10,
      readBytes: 51_200,
      readSeconds: 0.5,
      writes: 20,
      writtenBytes: 102_400,
      writeSeconds: 1,
      busySeconds: 1.5,
      queuedSeconds: 2.5,
    });
  });

  it('is read from /proc/net/dev, without the interfaces of containers', () => {
    const headings =
      'Inter-|   Receive  |  Transmit\n face |bytes packets errs drop fifo frame compressed multicast|bytes packets errs drop\n';
    const line = (name: string) => `  ${name}: 100 2 3 4 0 0 0 0 500 6 7 8 0 0 0 0\n`;
    const read = parseNetDev(`${headings}${line('eth0')}${line('veth1a2b')}${line('eth0:1')}`, new Set(['eth0']));
    expect(read).toEqual([
      {
        name: 'eth0',
        received: { bytes: 100, packets: 2, errors: 3, drops: 4 },
        transmitted: { bytes: 500, packets: 6, errors: 7, drops: 8 },
        up: true,
      },
      expect.objectContaining({ name: 'eth0:1', up: false }),
    ]);
  });

  it.each([
    ['45500', 45.5],
    ['-5000', -5],
    ['0', 0],
    ['', undefined],
    ['nan', undefined],
    [undefined, undefined],
  ])('is a temperature, or none: %j', (text, celsius) => {
    expect(parseMillidegrees(text)).toBe(celsius);
  });

  it('may be anything at all', () => {
    const anything = fc.string({
      unit: fc.constantFrom('cpu0 ', 'sda ', '1 ', '-', ': ', '\n', 'MemTotal:', ' kB', 'x', 'full total='),
      maxLength: 40,
    });
    fc.assert(
      fc.property(anything, (text) => {
        parseStat(text);
        parseMeminfo(text);
        parseVmstat(text);
        parseLoadavg(text);
        parseFileNr(text);
        parsePressure('io', text);
        parseDiskstats(text, new Set(['sda']));
        parseNetDev(text, new Set());
      }),
      { numRuns: 500 },
    );
  });
});
