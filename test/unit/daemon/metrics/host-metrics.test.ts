// SPDX-License-Identifier: Apache-2.0
import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { type HostMetricsParts, hostMetrics } from '../../../../agent/daemon/metrics/host-metrics.ts';
import { smallHost } from '../../fakes/host.ts';
import { scrape } from '../../fakes/metrics.ts';

function metricsOf(change: Partial<HostMetricsParts> = {}) {
  const registry = new Registry();
  hostMetrics(registry, { ...smallHost(), ...change });
  return registry;
}

const failing = (): Promise<never> => Promise.reject(new Error('no such file'));

describe('the metrics of the machine', () => {
  it('are read with the first scrape, and counted from nothing with each', async () => {
    const registry = metricsOf();
    for (const _ of ['first', 'second']) {
      const { of } = await scrape(registry);
      expect(of('lamadist_node_cpu_seconds_total{cpu="0",mode="idle"}')).toEqual({
        'lamadist_node_cpu_seconds_total{cpu="0",mode="idle"}': '1.5',
      });
      expect(of('lamadist_node_disk_read')).toEqual({
        'lamadist_node_disk_reads_total{device="sda"}': '1',
        'lamadist_node_disk_read_bytes_total{device="sda"}': '512',
        'lamadist_node_disk_read_seconds_total{device="sda"}': '0.1',
      });
      expect(of('lamadist_node_filesystem_available')).toEqual({
        'lamadist_node_filesystem_available_bytes{device="/dev/sda3",mountpoint="/var",type="ext4"}': '500',
      });
      expect(of('lamadist_node_temperature')).toEqual({ 'lamadist_node_temperature_celsius{chip="soc",sensor="temp1"}': '45.5' });
      expect(of('lamadist_node_clock_synchronised')).toEqual({ lamadist_node_clock_synchronised: '1' });
    }
  });

  it('look at each subject once a scrape', async () => {
    let looks = 0;
    const host = smallHost();
    const cpu = async () => {
      looks += 1;
      return host.readHost.cpu();
    };
    await metricsOf({ readHost: { ...host.readHost, cpu } }).metrics();
    expect(looks).toBe(1);
  });

  it('forget a disk that is gone', async () => {
    const host = smallHost();
    let disks = await host.readHost.disks();
    const registry = metricsOf({ readHost: { ...host.readHost, disks: async () => disks } });
    await registry.metrics();
    disks = [];
    expect((await scrape(registry)).of('lamadist_node_disk')).toEqual({});
  });

  it('are left out, and that is said, where a subject cannot be read: never a zero', async () => {
    const { readHost } = smallHost();
    const registry = metricsOf({ readHost: { ...readHost, paging: failing, pressure: failing }, fileSystems: failing });
    const { of } = await scrape(registry);
    for (const name of ['major_page_faults_total', 'pressure', 'filesystem']) expect(of(`lamadist_node_${name}`)).toEqual({});
    const readable = of('lamadist_node_subject_readable');
    const unreadable = Object.keys(readable).filter((name) => readable[name] === '0');
    expect(unreadable.map((name) => /subject="(\w+)"/.exec(name)?.[1]).sort()).toEqual(['filesystems', 'paging', 'pressure']);
    expect(of('lamadist_node_load_average')).not.toEqual({});
  });

  it('show a file system that does not answer without figures', async () => {
    const registry = metricsOf({
      fileSystems: async () => [{ mountPoint: '/mnt', device: 'nas:/x', type: 'nfs', readOnly: true, capacity: undefined }],
    });
    expect((await scrape(registry)).of('lamadist_node_filesystem')).toEqual({
      'lamadist_node_filesystem_readonly{device="nas:/x",mountpoint="/mnt",type="nfs"}': '1',
    });
  });
});
