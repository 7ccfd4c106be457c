// SPDX-License-Identifier: Apache-2.0
import { afterAll, describe, expect, it } from 'vitest';
import type { UnitFilter } from '../../../../../agent/lamactl/node/node-details.ts';
import { Failure } from '../../../../../agent/shared/failure.ts';
import { UNITS } from '../../details.ts';
import { deadNode, FakeNode } from '../../fake-node.ts';
import { FakeWorld, worldCertificates } from '../../fake-world.ts';

const certificates = worldCertificates();
afterAll(() => certificates.remove());

describe('lamactl units', () => {
  it('lists the units of every node that answers', async () => {
    const world = new FakeWorld({ attic: new FakeNode(), cellar: deadNode() }, certificates);
    expect(await world.run('units --all')).toBe(4);
    expect(world.stdout.text).toMatch(/^attic +k3s\.service +loaded +active +running +yes +Lightweight Kubernetes$/m);
    expect(world.stdout.text).toMatch(/^attic +nightly\.service +loaded +failed +failed +Nightly work$/m);
    expect(world.stderr.text).toContain('cellar: ');
  });

  it('passes states and patterns on', async () => {
    const attic = new FakeNode();
    const asked: UnitFilter[] = [];
    attic.answers.units = async (filter) => {
      asked.push(filter);
      return UNITS;
    };
    const world = new FakeWorld({ attic }, certificates);
    expect(await world.run('units list k3s* *.timer --state failed --state masked -o json')).toBe(0);
    expect(asked).toEqual([{ states: ['failed', 'masked'], patterns: ['k3s*', '*.timer'] }]);
    expect(world.json()).toMatchObject({ nodes: [{ node: 'attic', units: [{ name: 'k3s.service', restartable: true }, {}] }] });
  });

  it('restarts a unit and shows what became of it', async () => {
    const world = new FakeWorld({ attic: new FakeNode() }, certificates);
    expect(await world.run('units restart k3s.service')).toBe(0);
    expect(world.stdout.text).toMatch(/^attic +k3s\.service +loaded +active +running/m);
  });

  it('says so when no unit matches, and prints no headings', async () => {
    const attic = new FakeNode();
    attic.answers.units = async () => [];
    const world = new FakeWorld({ attic }, certificates);
    expect(await world.run('units nope*')).toBe(0);
    expect(world.stdout.text).toBe('attic: no unit matches\n');
  });

  it('ends with 7 when the node does not allow it, and with 2 without a unit', async () => {
    const attic = new FakeNode();
    attic.answers.restartUnit = async () => {
      throw new Failure('RESTART_NOT_ALLOWED', 'Cannot restart "ssh.service": the configuration of this node does not allow it');
    };
    const world = new FakeWorld({ attic }, certificates);
    expect(await world.run('units restart ssh.service')).toBe(7);
    expect(world.stderr.text).toContain('units.restart in the configuration');
    expect(world.stdout.text).toBe('');
    expect(await world.run('units restart')).toBe(2);
  });
});
