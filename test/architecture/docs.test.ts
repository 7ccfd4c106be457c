// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { readConfig } from '../../agent/daemon/config.ts';
import { attestationMetrics } from '../../agent/daemon/metrics/attestation-metrics.ts';
import { hostMetrics } from '../../agent/daemon/metrics/host-metrics.ts';
import { nodeMetrics } from '../../agent/daemon/metrics/node-metrics.ts';
import { processMetrics } from '../../agent/daemon/metrics/process-metrics.ts';
import { updateMetrics } from '../../agent/daemon/metrics/update-metrics.ts';
import { Feed } from '../../agent/daemon/update/feed.ts';
import { ROLLBACK_CODES } from '../../agent/daemon/update/life/rollback-code.ts';
import { PHASES, type UpdateState } from '../../agent/daemon/update/life/state.ts';
import { FAILURES } from '../../agent/shared/failure.ts';
import { temporaryFolder } from '../unit/fakes/folder.ts';
import { smallHost } from '../unit/fakes/host.ts';
import { FakeInstaller } from '../unit/fakes/installer.ts';

const page = (name: string): string => readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8');

/** The rows of the table under this heading, each a list of its cells without backquotes. */
function table(text: string, heading: readonly string[]): string[][] {
  const rows = text.split('\n').map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim().replace(/^`|`$/g, '')),
  );
  const start = rows.findIndex((cells) => cells.join('|') === heading.join('|'));
  expect(start, `a table with the heading "${heading.join(' | ')}"`).toBeGreaterThanOrEqual(0);
  const body = rows.slice(start + 2);
  return body.slice(
    0,
    body.findIndex((cells) => cells.length === 0),
  );
}

/** What prom-client's own type does not tell of a metric. */
interface ShownMetric {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
}

describe('the pages', () => {
  it('list every failure as the code has it', () => {
    const failures = Object.entries(FAILURES).map(([code, { status, remedy }]) => [code, status, remedy]);
    expect(table(page('OPERATIONS.md'), ['code', 'gRPC status', 'what to do'])).toEqual(failures);
  });

  it('list every reason for a rollback as the code has it', () => {
    const codes = Object.entries(ROLLBACK_CODES).map(([code, { why, remedy }]) => [code, why, remedy]);
    expect(table(page('OPERATIONS.md'), ['code', 'why', 'what to do'])).toEqual(codes);
  });

  it('define every phase of an update, in the order of its life', () => {
    expect(table(page('TERMS.md'), ['phase', 'the node is']).map(([phase]) => phase)).toEqual(PHASES);
  });

  it('show a configuration that is the default, but for what has none', async () => {
    const [, example = ''] = /```yaml\n(.*?)```/s.exec(page('OPERATIONS.md')) ?? [];
    const file = join(await temporaryFolder(), 'config.yaml');
    const defaults = await readConfig(file);
    await writeFile(file, example);
    const { download, ...shown } = await readConfig(file);
    const { 'ca-file': _none, proxy: _nor, ...shownDownload } = download;
    expect({ ...shown, download: shownDownload }).toEqual(defaults);
  });

  it('list every metric as the code has it', async () => {
    const registry = new Registry();
    updateMetrics(registry, new Feed<UpdateState>('run', { phase: 'idle' }), AbortSignal.abort());
    nodeMetrics(registry, {
      installer: new FakeInstaller(),
      busConnected: () => true,
      health: () => ({ verdict: { type: 'pending' }, results: [], broken: [] }),
      certificateExpiry: () => new Date(),
      journalWritten: async () => new Date(),
      agentVersion: '0',
    });
    attestationMetrics(registry, { listen: () => {} });
    hostMetrics(registry, smallHost());
    processMetrics(registry);
    const metrics = registry.getMetricsAsArray() as unknown as readonly ShownMetric[];
    const rows = metrics.map(({ name, labelNames, help }) => [name, labelNames.map((label) => `\`${label}\``).join(', '), help]);
    expect(table(page('METRICS.md'), ['metric', 'labels', 'says']).map(([name, labels, says]) => [name, labels, says])).toEqual(
      rows.map(([name, labels, help]) => [name, labels?.replace(/^`|`$/g, ''), help]),
    );
  });
});
