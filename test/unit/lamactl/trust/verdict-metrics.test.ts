// SPDX-License-Identifier: Apache-2.0
import { readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { VerdictMetrics } from '../../../../agent/lamactl/trust/verdict-metrics.ts';
import { serveVerdictMetrics } from '../../../../agent/lamactl/trust/verdict-metrics-server.ts';
import { temporaryFolder } from '../../fakes/folder.ts';

const TIME = '2026-11-20T12:00:00.000Z';

function metrics(): VerdictMetrics {
  const all = new VerdictMetrics();
  all.keep({ node: 'attic', time: TIME, verdict: { verdict: 'REJECTED', reason: 'type', found: 'it is no quote' } });
  all.keep({ node: 'attic', time: TIME, verdict: { verdict: 'TRUSTED (first use)', believed: ['PCR 0'] } });
  all.keep({ node: 'cel"lar', time: TIME, verdict: { verdict: 'UNKNOWN', found: 'it is off' } });
  return all;
}

async function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

describe('the verdicts as metrics', () => {
  it('have one verdict a node, and the time of it', () => {
    const lines = metrics().text().split('\n');
    expect(lines.filter((line) => line.endsWith(' 1'))).toEqual([
      'lamadist_attestation_verdict{node="attic",verdict="trusted_first_use"} 1',
      'lamadist_attestation_verdict{node="cel\\"lar",verdict="unknown"} 1',
    ]);
    expect(lines.filter((line) => line.endsWith(' 0'))).toHaveLength(10);
    expect(lines).toContain(`lamadist_attestation_timestamp_seconds{node="attic"} ${Date.parse(TIME) / 1000}`);
  });

  it('tell of a node that went back to the image before', () => {
    const all = metrics();
    all.keep({ node: 'attic', time: TIME, verdict: { verdict: 'TRUSTED', image: 'previous' } });
    expect(all.text().split('\n')).toContain('lamadist_attestation_image_previous{node="attic"} 1');
  });

  it('are a whole file that the collector may read', async () => {
    const file = join(await temporaryFolder(), 'attest.prom');
    await metrics().write(file);
    expect(await readFile(file, 'utf8')).toBe(metrics().text());
    expect((await stat(file)).mode & 0o777).toBe(0o644);
  });

  it('are served on loopback, and nothing else is', async () => {
    const address = `127.0.0.1:${await freePort()}`;
    const stop = await serveVerdictMetrics(address, metrics(), true);
    try {
      expect(await (await fetch(`http://${address}/metrics`)).text()).toBe(metrics().text());
      expect((await fetch(`http://${address}/`)).status).toBe(404);
      await expect(serveVerdictMetrics(address, metrics(), true)).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    } finally {
      stop();
    }
  });

  it.each(['0.0.0.0:9478', '127.0.0.1', '127.0.0.1:99999', 'attic.lan:9478'])('are not served on %s', async (address) => {
    await expect(serveVerdictMetrics(address, metrics(), true)).rejects.toThrow('no loopback address');
  });

  it('are not served by a lamactl that ends at once', async () => {
    await expect(serveVerdictMetrics('127.0.0.1:1', metrics(), false)).rejects.toThrow('--watch');
  });
});
