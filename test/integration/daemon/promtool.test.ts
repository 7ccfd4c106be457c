// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../../../qemu/command.ts';
import { debianProgram } from '../fakes/debian-program.ts';
import { type Daemon, startDaemon } from '../fakes/real-daemon.ts';

let daemon: Daemon;
let promtool: string;
beforeAll(async () => {
  // A package of its own since trixie; in bookworm a part of the server's.
  promtool = await debianProgram('promtool', 'usr/bin/promtool').catch(() => debianProgram('prometheus', 'usr/bin/promtool'));
  daemon = await startDaemon();
}, 180_000);
afterAll(() => daemon?.stop());

const check = (metrics: string) => run([promtool, 'check', 'metrics'], { timeoutMs: 20_000, input: metrics });

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
