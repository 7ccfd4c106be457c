// SPDX-License-Identifier: Apache-2.0
import { afterAll, describe, expect, it } from 'vitest';
import type { EventQuery, NodeEvent, NodeEventDetail } from '../../../../../agent/lamactl/node/node-event.ts';
import { Failure } from '../../../../../agent/shared/failure.ts';
import { EVENTS } from '../../details.ts';
import { deadNode, FakeNode } from '../../fake-node.ts';
import { FakeWorld, worldCertificates } from '../../fake-world.ts';

const certificates = worldCertificates();
afterAll(() => certificates.remove());

function nodeThatTells(...connections: (NodeEvent | Failure | (() => void))[][]) {
  const node = new FakeNode();
  const queries: EventQuery[] = [];
  node.answers.events = async function* (query) {
    queries.push(query);
    for (const step of connections.shift() ?? []) {
      if (step instanceof Failure) throw step;
      if (typeof step === 'function') step();
      else yield step;
    }
  };
  return { node, queries };
}

const happened = (detail: NodeEventDetail, more: Partial<NodeEvent> = {}) => ({ ...EVENTS[0]!, ...more, ...detail }) as NodeEvent;
const PHASE = { operationId: 'o', version: '2.0.0', targetSlot: 'rootfs.1', reasonCode: '', reasonMessage: '' };

describe('lamactl events', () => {
  it('merges what happened on several nodes by its time, and tells which is dead', async () => {
    const between = happened({ type: 'rebooting' }, { at: '2026-11-20T10:00:02.000Z' });
    const nodes = { attic: new FakeNode(), cellar: nodeThatTells([between]).node, shed: deadNode() };
    const world = new FakeWorld(nodes, certificates);
    expect(await world.run('events --all')).toBe(4);
    expect(
      world.stdout.text
        .trim()
        .split('\n')
        .map((line) => line.slice(20)),
    ).toEqual([
      'attic booted slot A with image 1.0.0 (agent 0.1.0)',
      'cellar the agent asked for a reboot',
      'attic the health gate passed: All 4 passed',
    ]);
    expect(world.stderr.text).toContain('shed: Cannot reach');
  });

  it.each<[NodeEventDetail, string]>([
    [{ type: 'agent-restarted', agentVersion: '0.2.0' }, 'the agent started again (0.2.0)'],
    [{ type: 'update-phase-entered', ...PHASE, phase: 'committed' }, 'update to 2.0.0 in rootfs.1: committed'],
    [
      {
        type: 'update-phase-entered',
        ...PHASE,
        phase: 'failed',
        version: '',
        targetSlot: '',
        reasonCode: 'NO_SPACE',
        reasonMessage: 'Full',
      },
      'update: failed: Full (NO_SPACE)',
    ],
    [
      { type: 'check-changed', name: 'k3s', severity: 'required', outcome: 'failed', detail: 'two\nlines' },
      'check k3s (required) failed: two lines',
    ],
    [{ type: 'unit-restarted', name: 'k3s.service' }, 'k3s.service was restarted through the agent'],
    [{ type: 'certificates-reloaded' }, 'new certificates took hold'],
    [{ type: 'unknown' }, 'something that this lamactl does not know'],
  ])('says what %j means', async (detail, sentence) => {
    const world = new FakeWorld({ attic: nodeThatTells([happened(detail)]).node }, certificates);
    await world.run('events');
    expect(world.stdout.text.slice(20)).toBe(`attic ${sentence}\n`);
  });

  it('says where events are missing', async () => {
    const world = new FakeWorld({ attic: nodeThatTells([happened({ type: 'rebooting' }, { gap: true })]).node }, certificates);
    await world.run('events --since-cursor e.0');
    expect(world.stdout.text).toMatch(/^attic: events before the next are no longer on record\n.*attic the agent asked for a reboot\n$/);
  });

  it('prints one document for each node', async () => {
    const { node, queries } = nodeThatTells([...EVENTS]);
    const world = new FakeWorld({ attic: node }, certificates);
    expect(await world.run('events -o json --limit 7')).toBe(0);
    expect(world.json()).toEqual({ nodes: [{ node: 'attic', events: EVENTS }] });
    expect(queries).toEqual([{ afterCursor: '', limit: 7, follow: false }]);
  });

  it('follows through broken connections, from the cursor that was given and then from the last', async () => {
    const broke = new Failure('NODE_UNREACHABLE', 'Cannot reach attic: the connection broke');
    const { node, queries } = nodeThatTells([EVENTS[0]!, broke], [EVENTS[1]!, () => world.interrupt()]);
    const world = new FakeWorld({ attic: node }, certificates);
    expect(await world.run('events -f --since-cursor e.0 -o json')).toBe(0);
    expect(queries.map(({ afterCursor, follow }) => [afterCursor, follow])).toEqual([
      ['e.0', true],
      ['e.1', true],
    ]);
    expect(world.events()).toMatchObject([
      { node: 'attic', type: 'event', event: { type: 'booted' } },
      { node: 'attic', type: 'unreachable' },
      { node: 'attic', type: 'event', event: { type: 'gate-decided' } },
    ]);
  });
});
