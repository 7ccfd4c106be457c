// SPDX-License-Identifier: Apache-2.0
import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import type { Health } from '../../../../agent/daemon/health/health-monitor.ts';
import { nodeMetrics } from '../../../../agent/daemon/metrics/node-metrics.ts';
import { Failure } from '../../../../agent/shared/failure.ts';
import { BROKEN, result } from '../../fakes/checks.ts';
import { FakeInstaller } from '../../fakes/installer.ts';
import { scrape } from '../../fakes/metrics.ts';

function node() {
  const registry = new Registry();
  const installer = new FakeInstaller();
  const state = { connected: true, health: { verdict: { type: 'pending' }, results: [], broken: [] } as Health };
  nodeMetrics(registry, {
    installer,
    busConnected: () => state.connected,
    health: () => state.health,
    certificateExpiry: () => new Date('2027-01-01T00:00:00Z'),
    journalWritten: async () => new Date(1_000),
    agentVersion: '1.2.3',
  });
  return { registry, installer, state };
}

const away = () => new Failure('RAUC_UNAVAILABLE', 'Cannot ask RAUC: it is away');
const installing = () => new Failure('UPDATE_IN_PROGRESS', 'Cannot ask RAUC: it is installing');

describe('the metrics of a node', () => {
  it('tell each slot as RAUC tells it, from the first scrape on and asking once', async () => {
    const { registry, installer } = node();
    installer.slotB = { ...installer.slotB, version: '2', bootStatus: 'bad', status: 'pending' };
    const { of } = await scrape(registry);
    expect(of('lamadist_slot')).toEqual({
      'lamadist_slot_info{slot="rootfs.0",bootname="A",version="1",status="ok"}': '1',
      'lamadist_slot_info{slot="rootfs.1",bootname="B",version="2",status="pending"}': '1',
      'lamadist_slot_state{slot="rootfs.0",state="booted"}': '1',
      'lamadist_slot_state{slot="rootfs.0",state="primary"}': '1',
      'lamadist_slot_state{slot="rootfs.0",state="good"}': '1',
      'lamadist_slot_state{slot="rootfs.1",state="booted"}': '0',
      'lamadist_slot_state{slot="rootfs.1",state="primary"}': '0',
      'lamadist_slot_state{slot="rootfs.1",state="good"}': '0',
    });
    expect(of('lamadist_rauc')).toEqual({ lamadist_rauc_reachable: '1' });
    expect(installer.asked).toEqual(['slots']);
  });

  it('forget what a slot held before', async () => {
    const { registry, installer } = node();
    await scrape(registry);
    installer.slotA = { ...installer.slotA, version: '3' };
    const { of } = await scrape(registry);
    expect(Object.keys(of('lamadist_slot_info{slot="rootfs.0"'))).toEqual([expect.stringContaining('version="3"')]);
  });

  it('keep the slots of before while RAUC writes one and tells nothing', async () => {
    const { registry, installer } = node();
    const before = (await scrape(registry)).of('lamadist_slot');
    installer.failures.set('slots', [installing()]);
    const { of } = await scrape(registry);
    expect(of('lamadist_slot')).toEqual(before);
    expect(of('lamadist_rauc')).toEqual({ lamadist_rauc_reachable: '1' });
  });

  it('say nothing of slots while RAUC does not answer', async () => {
    const { registry, installer } = node();
    await scrape(registry);
    installer.failures.set('slots', [away()]);
    const { of } = await scrape(registry);
    expect(of('lamadist_slot')).toEqual({});
    expect(of('lamadist_rauc')).toEqual({ lamadist_rauc_reachable: '0' });
  });

  it('tell the verdict and the last result of each check', async () => {
    const { registry, state } = node();
    expect((await scrape(registry)).of('lamadist_health_gate')).toMatchObject({ 'lamadist_health_gate_verdict{verdict="pending"}': '1' });
    const results = [result('web', 'passed'), result('disk', 'timed-out'), result('ntp', 'failed', 'advisory'), result('new', 'pending')];
    state.health = { verdict: { type: 'passed', message: '' }, results, broken: [BROKEN, { ...BROKEN, line: 9 }] };
    expect((await scrape(registry)).of('lamadist_health')).toEqual({
      'lamadist_health_gate_verdict{verdict="pending"}': '0',
      'lamadist_health_gate_verdict{verdict="passed"}': '1',
      'lamadist_health_gate_verdict{verdict="failed"}': '0',
      'lamadist_health_check_passed{check="web",severity="required"}': '1',
      'lamadist_health_check_passed{check="disk",severity="required"}': '0',
      'lamadist_health_check_passed{check="ntp",severity="advisory"}': '0',
      'lamadist_health_check_duration_seconds{check="web"}': '0.005',
      'lamadist_health_check_duration_seconds{check="disk"}': '0.005',
      'lamadist_health_check_duration_seconds{check="ntp"}': '0.005',
      lamadist_health_check_files_broken: '1',
    });
    state.health = { ...state.health, results: [], broken: [] };
    expect(Object.keys((await scrape(registry)).of('lamadist_health_check'))).toEqual(['lamadist_health_check_files_broken']);
  });

  it('tell the bus, the certificate and the build', async () => {
    const { registry, state } = node();
    state.connected = false;
    const { of } = await scrape(registry);
    expect(of('lamadist_bus')).toEqual({ lamadist_bus_connected: '0' });
    expect(of('lamadist_certificate')).toEqual({ lamadist_certificate_expiry_timestamp_seconds: '1798761600' });
    expect(of('lamadist_agent')).toEqual({ [`lamadist_agent_build_info{version="1.2.3",node_version="${process.version}"}`]: '1' });
  });

  it('are gauges that say what they are', async () => {
    const { types, helps } = await scrape(node().registry);
    expect(new Set(types.values())).toEqual(new Set(['gauge']));
    expect([...helps.keys()]).toEqual([...types.keys()]);
    for (const help of helps.values()) expect(help).toMatch(/^[A-Z].{10,}\.$/);
  });
});
