// SPDX-License-Identifier: Apache-2.0
import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { fetchMetrics } from '../../../../agent/daemon/metrics/fetch-metrics.ts';
import type { Phase, UpdateState } from '../../../../agent/daemon/update/life/state.ts';
import { scrape } from '../../fakes/metrics.ts';
import { STATES } from '../update/states.ts';

const IDLE: UpdateState = { phase: 'idle' };

/** An update in this phase that fetched so much of a bundle of 1,000 bytes. */
function fetched(phase: Exclude<Phase, 'idle'>, bytes: number, id = 'one'): UpdateState {
  const state = STATES[phase] as Exclude<UpdateState, { phase: 'idle' }>;
  return { ...state, operation: { ...state.operation, id }, fetched: { bytes, sizeBytes: 1_000 } } as UpdateState;
}

async function counted(...states: UpdateState[]) {
  const registry = new Registry();
  const count = fetchMetrics(registry);
  for (const state of states) count(state);
  const { of } = await scrape(registry);
  const { lamadist_bundle_fetched_bytes_total: fetchedBytes, lamadist_bundle_reused_bytes_total: reusedBytes } = of('lamadist_bundle');
  return [Number(fetchedBytes), Number(reusedBytes)];
}

describe('what bundles cost the network', () => {
  it('is counted as it comes, and what was reused once the bundle was read', async () => {
    const steps = [fetched('downloading', 0), fetched('installing', 100), fetched('installing', 300)];
    expect(await counted(IDLE, ...steps)).toEqual([300, 0]);
    expect(await counted(IDLE, ...steps, fetched('installed', 300), fetched('activating', 300), fetched('trial', 300))).toEqual([300, 700]);
  });

  it('adds up over updates', async () => {
    const first = [fetched('downloading', 0), fetched('downloading', 1_000), fetched('installed', 1_000)];
    const second = [fetched('downloading', 0, 'two'), fetched('installing', 400, 'two'), fetched('installed', 400, 'two')];
    expect(await counted(IDLE, ...first, IDLE, ...second)).toEqual([1_400, 600]);
  });

  it('reuses nothing when the update failed', async () => {
    expect(await counted(IDLE, fetched('downloading', 0), fetched('installing', 200), fetched('failed', 200))).toEqual([200, 0]);
  });

  it('is not counted again by an update that goes on with what another fetched', async () => {
    const first = [fetched('downloading', 0), fetched('downloading', 600), fetched('failed', 600)];
    const second = [fetched('downloading', 600, 'two'), fetched('downloading', 1_000, 'two'), fetched('installed', 1_000, 'two')];
    expect(await counted(IDLE, ...first, ...second)).toEqual([1_000, 0]);
  });

  it('is not counted again by an agent that starts anew', async () => {
    expect(await counted(fetched('trial', 300), fetched('checking', 300))).toEqual([0, 0]);
    expect(await counted(fetched('installing', 300), fetched('installing', 350), fetched('installed', 350))).toEqual([50, 650]);
  });
});
