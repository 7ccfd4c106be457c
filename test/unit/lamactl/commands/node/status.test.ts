// SPDX-License-Identifier: Apache-2.0
import { afterAll, describe, expect, it } from 'vitest';
import { Failure } from '../../../../../agent/shared/failure.ts';
import { CHECK, DEVICE, HEALTH, updateIn } from '../../answers.ts';
import { deadNode, FakeNode } from '../../fake-node.ts';
import { FakeWorld, worldCertificates } from '../../fake-world.ts';

const certificates = worldCertificates();
afterAll(() => certificates.remove());

const world = (nodes: Record<string, FakeNode>) => new FakeWorld(nodes, certificates);

describe('lamactl status', () => {
  it('says below the table what to do about the nodes that did not answer, once for all with the same failure', async () => {
    const some = world({ attic: new FakeNode(), cellar: deadNode(), shed: deadNode() });
    expect(await some.run('status --all')).toBe(4);
    expect(some.stderr.text).toBe('cellar, shed: check that the node is on, and its address in the context file (NODE_UNREACHABLE)\n');
  });

  it('says what an update waits for, of one node and of many', async () => {
    const attic = new FakeNode();
    attic.last = updateIn('scheduled', { window: 'Sat 02:00-05:00', startsAt: '2026-11-21T02:00:00.000Z' });
    const told = 'starts at 2026-11-21T02:00:00.000Z (window Sat 02:00-05:00)';
    const one = world({ attic });
    await one.run('status');
    expect(one.stdout.text).toContain(`Waits       ${told}`);
    const many = world({ attic, cellar: new FakeNode() });
    await many.run('status --all');
    expect(many.stdout.text).toMatch(new RegExp(`^attic.*${told.replace(/[().]/g, '.')}$`, 'm'));
  });

  it('ends with 0 when every node is healthy', async () => {
    const two = world({ attic: new FakeNode(), cellar: new FakeNode() });
    expect(await two.run('status --all')).toBe(0);
    expect(two.stdout.text.split('\n')[0]).toMatch(/^NODE +STATE +VERSION +SLOT +PHASE +SINCE +WHY$/);
    expect(two.stdout.text).toMatch(/^attic +healthy +1\.0\.0 +rootfs\.0 +committed +2h$/m);
    expect(two.stderr.text).toBe('');
  });

  it('calls a node that does not answer unknown, and still shows the others', async () => {
    const two = world({ attic: deadNode(), cellar: new FakeNode() });
    expect(await two.run('status --all')).toBe(4);
    expect(two.stdout.text).toMatch(/^attic +unknown +Cannot reach 10\.0\.0\.9:7443: nothing listens there$/m);
    expect(two.stdout.text).toMatch(/^cellar +healthy/m);
  });

  it('calls a node unknown when one of its services does not answer', async () => {
    const attic = new FakeNode();
    attic.answers.health = async () => {
      throw new Failure('DEADLINE_EXCEEDED', 'Cannot talk to 10.0.0.5:7443: it did not answer in time');
    };
    const one = world({ attic });
    expect(await one.run('status -o json')).toBe(13);
    expect(one.json()).toMatchObject({ nodes: [{ node: 'attic', state: 'unknown', error: { code: 'DEADLINE_EXCEEDED' } }] });
    expect(attic.open).toBe(0);
  });

  it('calls a node on trial so, and not done', async () => {
    const attic = new FakeNode();
    attic.last = updateIn('checking');
    const one = world({ attic });
    expect(await one.run('status')).toBe(12);
    expect(one.stdout.text).toContain('trial: the new version is not committed yet');
  });

  it('is unhealthy when a required check fails now, although this boot was committed', async () => {
    const attic = new FakeNode();
    attic.answers.health = async () => ({ ...HEALTH, checks: [{ ...CHECK, outcome: 'failed' }] });
    const one = world({ attic });
    expect(await one.run('status')).toBe(10);
    expect(one.stdout.text).toContain('unhealthy: k3s failed');
  });

  it('shows the slots and the checks of one node', async () => {
    const one = world({ attic: new FakeNode() });
    expect(await one.run('status')).toBe(0);
    expect(one.stdout.text).toMatch(/^rootfs\.0 +A +booted, primary +good +1\.0\.0 +ok/m);
    expect(one.stdout.text).toMatch(/^k3s +passed +required +k3s\.service is active$/m);
  });

  it('prints the whole state as YAML', async () => {
    const one = world({ attic: new FakeNode() });
    expect(await one.run('status -o yaml')).toBe(0);
    expect(one.stdout.text).toContain('state: healthy');
    expect(one.stdout.text).toContain('bootStatus: good');
  });

  it('keeps the documented properties in JSON', async () => {
    const one = world({ attic: new FakeNode() });
    await one.run('status -o json');
    const { nodes } = one.json<{ nodes: Record<string, unknown>[] }>();
    expect(Object.keys(nodes[0]!)).toEqual(['node', 'state', 'why', 'version', 'phase', 'since', 'slot', 'health', 'update', 'device']);
    expect(nodes[0]).toMatchObject({ device: DEVICE, health: HEALTH });
  });

  it('colours states on a terminal, and not when NO_COLOR is set', async () => {
    const coloured = world({ attic: new FakeNode(), cellar: new FakeNode() });
    coloured.stdout.isTerminal = true;
    await coloured.run('status --all');
    expect(coloured.stdout.text).toContain('\x1b[32mhealthy');

    const plain = world({ attic: new FakeNode(), cellar: new FakeNode() });
    plain.stdout.isTerminal = true;
    plain.env.NO_COLOR = '1';
    await plain.run('status --all');
    expect(plain.stdout.text).not.toContain('\x1b');
  });
});
