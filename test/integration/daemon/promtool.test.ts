// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PHASES, type Phase } from '../../../agent/daemon/update/life/state.ts';
import { run } from '../../../qemu/host/command.ts';
import { debianProgram } from '../fakes/debian-program.ts';
import { type Daemon, startDaemon } from '../fakes/real-daemon.ts';

let daemon: Daemon;
let promtool: string;
beforeAll(async () => {
  // A package of its own since trixie; in bookworm a part of the server's.
  promtool = await debianProgram('usr/bin/promtool', 'promtool', 'prometheus');
  daemon = await startDaemon();
}, 180_000);
afterAll(() => daemon?.stop());

const check = (metrics: string) => run([promtool, 'check', 'metrics'], { timeoutMs: 20_000, input: metrics });

/** The alerts that docs/METRICS.md proposes: their names and expressions. */
async function documentedAlerts(): Promise<readonly { readonly alert: string; readonly expr: string }[]> {
  const page = await readFile(new URL('../../../docs/METRICS.md', import.meta.url), 'utf8');
  const table = page.slice(page.indexOf('## What to alert on'), page.indexOf('## Every metric'));
  const rows = [...table.matchAll(/^\| ([a-zA-Z' ]+) \| `(.+?)`.*\|$/gm)];
  return rows.map(([, alert = '', expr = '']) => ({ alert, expr: expr.replaceAll('\\|', '|') }));
}

/** What the agent shows while an update is in a phase, or in none, since its journal was written. */
function seriesOf(instance: string, phase: Phase, writtenAtSeconds: number) {
  return [
    ...PHASES.map((each) => ({
      series: `lamadist_update_phase{instance="${instance}",phase="${each}"}`,
      values: `${each === phase ? 1 : 0}x300`,
    })),
    { series: `lamadist_journal_written_timestamp_seconds{instance="${instance}"}`, values: `${writtenAtSeconds}x300` },
  ];
}

describe('the alerts of the documentation', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lamadist-alerts-'));
    await writeFile(join(folder, 'rules.yaml'), JSON.stringify({ groups: [{ name: 'lamadist', rules: await documentedAlerts() }] }));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('are each a rule that Prometheus can read', async () => {
    const said = await run([promtool, 'check', 'rules', join(folder, 'rules.yaml')], { timeoutMs: 20_000 });
    expect(said).toContain(`${(await documentedAlerts()).length} rules found`);
  });

  it('tell of an update that hangs, and of no other', async () => {
    const alert = 'an update that hangs';
    // After two hours: one that was written down just now, and others that nobody has touched since the start.
    const calm = (['idle', 'scheduled', 'paused', 'committed', 'failed', 'rolled-back'] as const).flatMap((phase) =>
      seriesOf(phase, phase, 0),
    );
    const input = [...calm, ...seriesOf('busy', 'installing', 7000), ...seriesOf('hung', 'installing', 0)];
    const expected = [{ exp_labels: { instance: 'hung' } }];
    const tests = [{ interval: '1m', input_series: input, alert_rule_test: [{ eval_time: '2h', alertname: alert, exp_alerts: expected }] }];
    await writeFile(join(folder, 'tests.yaml'), JSON.stringify({ rule_files: ['rules.yaml'], tests }));
    expect(await run([promtool, 'test', 'rules', join(folder, 'tests.yaml')], { timeoutMs: 20_000 })).toContain('SUCCESS');
  });
});

describe("Prometheus' own promtool", () => {
  it('finds nothing wrong with the metrics of the running daemon', async () => {
    const metrics = await (await fetch(`http://${daemon.metricsAddress}/metrics`)).text();
    expect(metrics).toMatch(/^lamadist_node_cpu_seconds_total\{/m);
    expect(await check(metrics)).toBe('');
  });

  it('would find what is wrong', async () => {
    await expect(check('# TYPE lamadist_thing_total gauge\nlamadist_thing_total 1\n')).rejects.toThrow('lamadist_thing_total');
  });
});
