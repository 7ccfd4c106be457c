// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AgentClient, ask, connect } from '../../fakes/agent-client.ts';
import { type AgentServer, startAgentServer } from '../../fakes/agent-server.ts';

let server: AgentServer;
let client: AgentClient;
beforeEach(async () => {
  server = await startAgentServer();
  client = await connect(server, 'operator');
});
afterEach(async () => {
  client.close();
  await server.stop();
});

const ID = '11111111-2222-3333-4444-555555555555';
const OPERATION = '99999999-2222-3333-4444-555555555555';
const rollout = (epoch: number, sequence: number, holder = 'anna') => ({
  id: ID,
  epoch,
  holder,
  sequence,
  witnesses: ['attic'],
  summary: '2 to 1 node',
});
const plan = Buffer.from('the plan');
const put = (epoch: number, sequence: number, holder = 'anna') =>
  ask(client.rollouts, 'putRollout', { rollout: rollout(epoch, sequence, holder), plan, progress: Buffer.from([sequence]) });
const take = (epoch: number, holder: string) => ask(client.rollouts, 'takeRollout', { rolloutId: ID, epoch, holder });
const install = (epoch: number) =>
  ask(client.updates, 'installBundle', {
    source: { path: '/var/v2.raucb' },
    operationId: OPERATION,
    rolloutFence: { rolloutId: ID, epoch },
  });

describe('the record of a rollout on a node', () => {
  it('is told to whoever takes the rollout over, who alone may write from then on', async () => {
    await put(1, 7);
    expect(await take(2, 'bert')).toMatchObject({ rollout: { sequence: 7, writtenEpoch: 1, epoch: 2, holder: 'bert' }, plan });
    await expect(put(1, 8)).rejects.toMatchObject({ code: 'ROLLOUT_TAKEN_OVER', facts: { epoch: '2', holder: 'bert' } });
    await put(2, 8, 'bert');
    expect(await ask(client.rollouts, 'getRollout', { rolloutId: ID })).toMatchObject({ progress: Buffer.from([8]) });
    expect(await ask(client.rollouts, 'listRollouts', {})).toMatchObject({ rollouts: [{ id: ID, summary: '2 to 1 node' }] });
  });

  it('fences the commands of an older runner', async () => {
    await take(2, 'bert');
    const rolloutFence = { rolloutId: ID, epoch: 1 };
    const refused = { code: 'ROLLOUT_TAKEN_OVER' };
    await expect(install(1)).rejects.toMatchObject(refused);
    await expect(ask(client.updates, 'cancelUpdate', { rolloutFence })).rejects.toMatchObject(refused);
    await expect(ask(client.updates, 'rollBack', { rolloutFence })).rejects.toMatchObject(refused);
    expect(await install(2)).toEqual({ operationId: OPERATION });
  });

  it('is refused as long as another rollout has not ended, unless it is replaced', async () => {
    await put(1, 1);
    const second = { ...rollout(1, 1), id: OPERATION };
    await expect(ask(client.rollouts, 'putRollout', { rollout: second, plan })).rejects.toMatchObject({ code: 'ROLLOUT_UNDER_WAY' });
    await ask(client.rollouts, 'putRollout', { rollout: second, plan, replaced: [ID] });
  });

  it('is one update when the same is asked for twice', async () => {
    await install(1);
    expect(await install(1)).toEqual({ operationId: OPERATION });
  });

  it('is changed by operators, and each change is in the audit log, without the plan', async () => {
    await put(1, 1);
    const reader = await connect(server, 'reader');
    await expect(ask(reader.rollouts, 'takeRollout', { rolloutId: ID, epoch: 9, holder: 'eve' })).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
    });
    expect(await ask(reader.rollouts, 'listRollouts', {})).toMatchObject({ rollouts: [{ holder: 'anna' }] });
    reader.close();
    const lines = (await server.auditLog()).trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { rpc: '/lamadist.agent.v1.RolloutService/PutRollout', result: 'OK', request: { rollout: { id: ID }, plan: '(left out)' } },
      { rpc: '/lamadist.agent.v1.RolloutService/TakeRollout', result: 'PERMISSION_DENIED' },
    ]);
  });

  it.each([
    ['rollout_id', { ...rollout(1, 1), id: '../../etc' }],
    ['epoch', rollout(0, 1)],
    ['sequence', rollout(1, 0)],
    ['holder', rollout(1, 1, '')],
    ['witnesses', { ...rollout(1, 1), witnesses: Array.from({ length: 10 }, () => 'attic') }],
    ['summary', { ...rollout(1, 1), summary: 'x'.repeat(301) }],
  ])('is refused with a wrong %s', async (field, wrong) => {
    await expect(ask(client.rollouts, 'putRollout', { rollout: wrong, plan })).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
      facts: { field },
    });
  });

  it('is refused when it is too large', async () => {
    const large = ask(client.rollouts, 'putRollout', { rollout: rollout(1, 1), plan: Buffer.alloc((512 << 10) + 1) });
    await expect(large).rejects.toMatchObject({ code: 'INVALID_REQUEST', facts: { field: 'plan' } });
    await expect(ask(client.rollouts, 'getRollout', { rolloutId: ID })).rejects.toMatchObject({ code: 'ROLLOUT_NOT_FOUND' });
  });
});
