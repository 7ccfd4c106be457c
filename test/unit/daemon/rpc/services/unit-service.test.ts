// SPDX-License-Identifier: Apache-2.0
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { UNIT_STATES } from '../../../../../agent/daemon/node/unit-states.ts';
import type { Unit, UnitFilter } from '../../../../../agent/daemon/node/units.ts';
import { unitService } from '../../../../../agent/daemon/rpc/services/unit-service.ts';
import { callUnary } from '../../../fakes/call.ts';

const K3S: Unit = { name: 'k3s.service', description: 'd'.repeat(500), loadState: 'loaded', activeState: 'active', subState: 'running' };
const SSH: Unit = { ...K3S, name: 'ssh.service', description: '' };

function service() {
  const asked: UnitFilter[] = [];
  const restarted: string[] = [];
  const units = {
    list: async (filter: UnitFilter) => {
      asked.push(filter);
      return [K3S, SSH];
    },
    restart: async (name: string) => {
      restarted.push(name);
      return K3S;
    },
  };
  return { asked, restarted, ...unitService(units, ['k3s.service']) };
}

describe('the units', () => {
  it('are listed with whether they may be restarted, their descriptions cut', async () => {
    const { listUnits, asked } = service();
    const { units } = await callUnary(listUnits, { states: ['failed'], patterns: ['k3s*'] });
    expect(units?.map(({ name, restartable, description }) => [name, restartable, description?.length])).toEqual([
      ['k3s.service', true, 200],
      ['ssh.service', false, 0],
    ]);
    expect(asked).toEqual([{ states: ['failed'], patterns: ['k3s*'] }]);
  });

  it.each([
    { states: ['a;b'], patterns: [] },
    { states: ['bogus'], patterns: [] },
    { states: [], patterns: ['a b'] },
    { states: [], patterns: [''] },
    { states: Array.from({ length: 65 }, () => 'failed'), patterns: [] },
  ])('are not listed by %j', async (request) => {
    await expect(callUnary(service().listUnits, request)).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
  });
});

it('a state that was misspelt is told with what was meant', async () => {
  const message = 'Cannot list units: "fialed" is none of the states that there can be; did you mean "failed"?';
  await expect(callUnary(service().listUnits, { states: ['fialed'], patterns: [] })).rejects.toMatchObject({ message });
});

it('the states are all that the systemd of this machine knows', async () => {
  const { stdout } = await execa('systemctl', ['--state=help', '--no-pager']);
  const groups = stdout.split('\n\n').filter((group) => !group.includes('unit file states'));
  const known = groups.flatMap((group) => group.split('\n').slice(1)).filter((state) => state !== '');
  expect(known.length).toBeGreaterThan(50);
  expect(known.filter((state) => !UNIT_STATES.includes(state))).toEqual([]);
});

describe('a restart', () => {
  it('is passed on for a unit that the configuration names', async () => {
    const { restartUnit, restarted } = service();
    expect((await callUnary(restartUnit, { name: 'k3s.service' })).unit).toMatchObject({ name: 'k3s.service', restartable: true });
    expect(restarted).toEqual(['k3s.service']);
  });

  it.each(['ssh.service', 'k3s', 'k3s.service ', '', 'K3S.service'])('is refused for "%s"', async (name) => {
    const { restartUnit, restarted } = service();
    await expect(callUnary(restartUnit, { name })).rejects.toMatchObject({ code: 'RESTART_NOT_ALLOWED' });
    expect(restarted).toEqual([]);
  });

  it.each(['k3s', 'k3s.servcie'])('of "%s" is refused with what was meant', async (name) => {
    const message = `Cannot restart "${name}": the configuration of this node does not allow it; did you mean "k3s.service"?`;
    await expect(callUnary(service().restartUnit, { name })).rejects.toMatchObject({ message });
  });
});
