// SPDX-License-Identifier: Apache-2.0
import { afterAll, describe, expect, it } from 'vitest';
import { CHECK, HEALTH } from '../../answers.ts';
import { deadNode, FakeNode } from '../../fake-node.ts';
import { FakeWorld, worldCertificates } from '../../fake-world.ts';

const certificates = worldCertificates();
afterAll(() => certificates.remove());

describe('lamactl health', () => {
  it('shows the last results and ends with 0 when the gate passed', async () => {
    const one = new FakeWorld({ attic: new FakeNode() }, certificates);
    expect(await one.run('health')).toBe(0);
    expect(one.stdout.text).toMatch(/^attic +k3s +passed +required +k3s\.service is active$/m);
  });

  it('runs the checks with --run and judges by their results', async () => {
    const attic = new FakeNode();
    attic.answers.runChecks = async () => ({ checks: [{ ...CHECK, outcome: 'timed-out' }], brokenChecks: [] });
    const one = new FakeWorld({ attic }, certificates);
    expect(await one.run('health --run -o json')).toBe(10);
    expect(one.json()).toMatchObject({ nodes: [{ node: 'attic', state: 'unhealthy', why: 'k3s timed out' }] });
  });

  it('shows a check file that cannot be read, which is no small matter', async () => {
    const attic = new FakeNode();
    attic.answers.health = async () => ({
      ...HEALTH,
      brokenChecks: [{ file: 'nas.yaml', line: 3, field: 'condition.port', message: 'is no port' }],
    });
    const one = new FakeWorld({ attic }, certificates);
    expect(await one.run('health')).toBe(10);
    expect(one.stdout.text).toMatch(/^attic +nas\.yaml +broken +required +line 3: condition\.port: is no port$/m);
  });

  it('ends with 4 while checks are still running, and when a node does not answer', async () => {
    const attic = new FakeNode();
    attic.answers.health = async () => ({ ...HEALTH, verdict: 'pending', checks: [{ ...CHECK, outcome: 'pending' }] });
    expect(await new FakeWorld({ attic }, certificates).run('health')).toBe(4);
    expect(await new FakeWorld({ attic: deadNode() }, certificates).run('health')).toBe(4);
  });

  it('prints the line of a node as it answers, whoever is slower, where lines are asked for', async () => {
    const [slow, quick] = [new FakeNode(), new FakeNode()];
    const world = new FakeWorld({ attic: slow, cellar: quick, shed: deadNode() }, certificates);
    let before = '';
    slow.answers.runChecks = async () => {
      await expect.poll(() => world.stdout.text.split('\n').length).toBe(3);
      before = world.stdout.text;
      return { checks: [CHECK], brokenChecks: [] };
    };
    expect(await world.run('health --all --run -o jsonl')).toBe(4);
    expect(before).toMatch(/"node":"cellar"/);
    expect(world.events().map(({ node }) => node)).toEqual([expect.anything(), expect.anything(), 'attic']);
  });
});
