// SPDX-License-Identifier: Apache-2.0
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { CHAIN_START, lineHash } from '../../../../../agent/shared/audit-chain.ts';
import { FakeNode } from '../../fake-node.ts';
import { FakeWorld, worldCertificates } from '../../fake-world.ts';

const certificates = worldCertificates();
beforeEach(() => rm(join(certificates.folder, 'audit'), { recursive: true, force: true }));
afterAll(() => certificates.remove());

const CALLS = [
  { at: '2026-11-20T09:00:00.000Z', caller: 'alice', role: 'admin', rpc: '/lamadist.agent.v1.AccessService/SetTrust', result: 'OK' },
  {
    at: '2026-11-20T10:00:00.000Z',
    caller: 'bob',
    role: 'reader',
    rpc: '/lamadist.agent.v1.DeviceService/Reboot',
    result: 'PERMISSION_DENIED',
    leftOut: 3,
  },
  {
    at: '2026-11-20T11:00:00.000Z',
    caller: 'unknown',
    role: 'none',
    rpc: '/lamadist.agent.v1.EnrolmentService/ClaimNode',
    result: 'OK',
    request: { labels: { a: '\u001b[2J\u202e' } },
  },
];

/** Lines of a log, each chained to the one before. */
function chained(calls: readonly object[]): string[] {
  let previous = CHAIN_START;
  return calls.map((call) => {
    const line = JSON.stringify({ ...call, previous });
    previous = lineHash(line);
    return line;
  });
}

function worldWith(lines: readonly string[]) {
  const attic = new FakeNode();
  attic.answers = {
    async *auditLog() {
      yield* lines;
    },
  };
  return new FakeWorld({ attic, shed: new FakeNode() }, certificates);
}

describe('lamactl audit', () => {
  it('shows who did what, of several nodes in the order of time', async () => {
    const world = worldWith(chained(CALLS));
    expect(await world.run('audit --all')).toBe(0);
    expect(world.stdout.text).toMatch(/attic +alice \(admin\) +AccessService\/SetTrust +OK\n/);
    expect(world.stdout.text).toMatch(/attic +bob \(reader\) +DeviceService\/Reboot +PERMISSION_DENIED \(and 3 before it\)\n/);
    expect(world.stdout.text).toMatch(/attic +a stranger +EnrolmentService\/ClaimNode +OK\n/);
    expect(world.stdout.text.match(/^\S+ \S+ +(attic|shed)/gm)).toHaveLength(5);
  });

  it('chooses by caller, time and number', async () => {
    const shown = async (words: string) => {
      const world = worldWith(chained(CALLS));
      expect(await world.run(`audit -n attic -o json ${words}`)).toBe(0);
      return world.json<{ nodes: [{ entries: { caller: string }[] }] }>().nodes[0].entries.map(({ caller }) => caller);
    };
    expect(await shown('--caller bob')).toEqual(['bob']);
    expect(await shown('--since 2026-11-20T09:30Z')).toEqual(['bob', 'unknown']);
    expect(await shown('--since 90m')).toEqual(['unknown']);
    expect(await shown('--limit 1')).toEqual(['unknown']);
  });

  it('has the requests for a program, and nothing in them drives a terminal', async () => {
    const world = worldWith(chained(CALLS));
    expect(await world.run('audit -n attic --limit 1 -o json')).toBe(0);
    expect(world.json()).toMatchObject({
      nodes: [{ lines: 3, breakCount: 0, entries: [{ request: { labels: { a: '\ufffd[2J\ufffd' } } }] }],
    });
    expect(await world.run('audit -n attic -o wide')).toBe(0);
    expect(world.stdout.text).toContain('REQUEST');
    expect(world.stdout.text).not.toContain('\u001b');
  });

  it('tells of a log that was changed, and of one that is without what was seen before', async () => {
    const lines = chained(CALLS);
    const changed = worldWith(lines.map((line) => line.replace('bob', 'eve')));
    expect(await changed.run('audit -n attic')).toBe(16);
    expect(changed.stdout.text).toMatch(/LOG OF +CHAIN\nattic +broken at line 3/);
    expect(await worldWith(lines).run('audit -n attic')).toBe(0);
    const cut = worldWith(lines.slice(0, 1));
    expect(await cut.run('audit -n attic')).toBe(16);
    expect(cut.stdout.text).toContain('without the last line of');
  });
});
