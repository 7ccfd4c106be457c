// SPDX-License-Identifier: Apache-2.0
import { afterAll, describe, expect, it } from 'vitest';
import type { LogEntry, LogQuery } from '../../../../../agent/lamactl/node/node-log.ts';
import { Failure } from '../../../../../agent/shared/failure.ts';
import { LOG } from '../../details.ts';
import { deadNode, FakeNode } from '../../fake-node.ts';
import { FakeWorld, worldCertificates } from '../../fake-world.ts';

const certificates = worldCertificates();
afterAll(() => certificates.remove());

/** A node whose log is read in these steps, one list for each connection; a stream that runs out of steps stays silent. */
function nodeWithLog(...connections: (LogEntry | Failure | (() => void))[][]) {
  const node = new FakeNode();
  const queries: LogQuery[] = [];
  node.answers.readLog = async function* (query) {
    queries.push(query);
    for (const step of connections.shift() ?? []) {
      if (step instanceof Failure) throw step;
      if (typeof step === 'function') step();
      else yield step;
    }
  };
  return { node, queries };
}

const [STARTED, BROKEN] = LOG as readonly [LogEntry, LogEntry];
const BROKE_OFF = new Failure('NODE_UNREACHABLE', 'Cannot reach attic: the connection broke');

describe('lamactl logs', () => {
  it('asks for the newest hundred, and after a cursor for all', async () => {
    const { node, queries } = nodeWithLog();
    const world = new FakeWorld({ attic: node }, certificates);
    await world.run('logs');
    await world.run('logs --after-cursor s=a;i=1');
    await world.run('logs --after-cursor s=a;i=1 --lines 7');
    expect(queries.map(({ lines }) => lines)).toEqual([100, 0, 7]);
  });

  it('merges the logs of several nodes by their times, and tells which is dead', async () => {
    const late = { ...STARTED, at: '2026-11-20T10:00:01.000Z', message: 'in between' };
    const world = new FakeWorld({ attic: new FakeNode(), cellar: nodeWithLog([late]).node, shed: deadNode() }, certificates);
    expect(await world.run('logs --all')).toBe(4);
    expect(world.stdout.text.split('\n').map((line) => line.slice(20))).toEqual(
      [
        'attic k3s[42]: started',
        'cellar k3s[42]: in between',
        'attic k3s[42]: broken',
        // The second line of a message cannot pass for an entry: four blanks and its words.
        expect.stringMatching(/^$/),
        '',
      ].map((line, index) => (index === 3 ? expect.any(String) : line)),
    );
    expect(world.stdout.text).toMatch(/^ {4}in two lines$/m);
    expect(world.stderr.text).toContain('shed: Cannot reach');
  });

  it('asks for what the options say', async () => {
    const { node, queries } = nodeWithLog([]);
    const world = new FakeWorld({ attic: node }, certificates);
    expect(await world.run('logs -u k3s -u a.timer -p err --since 2h --boot -1 --lines 5')).toBe(0);
    expect(queries).toEqual([
      {
        units: ['k3s.service', 'a.timer'],
        priority: 'error',
        since: new Date('2026-11-20T10:00:00.000Z'),
        boot: '-1',
        afterCursor: '',
        lines: 5,
        follow: false,
      },
    ]);
  });

  it('takes --boot alone for the boot of now', async () => {
    const { node, queries } = nodeWithLog([], []);
    const world = new FakeWorld({ attic: node }, certificates);
    await world.run('logs --boot');
    await world.run('logs');
    expect(queries.map(({ boot }) => boot)).toEqual(['0', '']);
  });

  it.each(['-p loud', '--since tomorrow', '--boot last', '--lines 0', '--since 2026-99-99'])('ends with 2 on "%s"', async (options) => {
    expect(await new FakeWorld({ attic: new FakeNode() }, certificates).run(`logs ${options}`)).toBe(2);
  });

  it('says where a message is that was left out', async () => {
    const { node } = nodeWithLog([{ ...STARTED, message: '', messageLeftOut: true }]);
    const world = new FakeWorld({ attic: node }, certificates);
    await world.run('logs');
    expect(world.stdout.text).toContain('k3s[42]: (a message of more than 4 KiB');
  });

  it('prints one document for each node', async () => {
    const world = new FakeWorld({ attic: new FakeNode() }, certificates);
    expect(await world.run('logs -o json')).toBe(0);
    expect(world.json()).toEqual({ nodes: [{ node: 'attic', entries: LOG }] });
  });
});

describe('lamactl logs --follow', () => {
  it('goes on after the last entry when the connection breaks, and ends with Ctrl-C', async () => {
    const { node, queries } = nodeWithLog([STARTED, BROKE_OFF], [BROKE_OFF], [BROKEN, () => world.interrupt()]);
    const world = new FakeWorld({ attic: node }, certificates);
    expect(await world.run('logs -f --lines 3')).toBe(0);
    expect(queries.map(({ afterCursor }) => afterCursor)).toEqual(['', 's=a;i=1', 's=a;i=1']);
    expect(world.stdout.text.match(/k3s\[42\]/g)).toHaveLength(2);
    // Once, though two connections broke.
    expect(world.stderr.text).toBe('attic: Cannot reach attic: the connection broke; trying again\n');
    expect(node.open).toBe(0);
  });

  it('tells programs each entry, and that a node went away', async () => {
    const { node } = nodeWithLog([STARTED, BROKE_OFF], [BROKEN, () => world.interrupt()]);
    const world = new FakeWorld({ attic: node }, certificates);
    expect(await world.run('logs -f -o json')).toBe(0);
    expect(world.events()).toMatchObject([
      { node: 'attic', type: 'entry', entry: { message: 'started' } },
      { node: 'attic', type: 'unreachable', error: { code: 'NODE_UNREACHABLE' } },
      { node: 'attic', type: 'entry', entry: { cursor: 's=a;i=2' } },
    ]);
  });

  it('gives up where trying again cannot help', async () => {
    const { node } = nodeWithLog([new Failure('TOO_MANY_CALLS', 'Cannot read the log: 8 others read it already')]);
    const world = new FakeWorld({ attic: node }, certificates);
    expect(await world.run('logs -f')).toBe(7);
    expect(world.stderr.text).toContain('8 others read it already');
  });
});
