// SPDX-License-Identifier: Apache-2.0
import { Metadata } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { grpc } from '../../../../agent/shared/gen/messages.js';
import { type AgentClient, ask, connect, soon } from '../../fakes/agent-client.ts';
import { type AgentServer, startAgentServer } from '../../fakes/agent-server.ts';

const { SERVING, SERVICE_UNKNOWN } = grpc.health.v1.HealthCheckResponse.ServingStatus;
const UPDATES = 'lamadist.agent.v1.UpdateService';

let server: AgentServer;
let monitor: AgentClient;
beforeAll(async () => {
  server = await startAgentServer();
  monitor = await connect(server, 'monitor');
});
afterAll(async () => {
  monitor.close();
  await server.stop();
});

describe('grpc.health.v1', () => {
  it.each(['', UPDATES])('answers for the service "%s" that it serves', async (service) => {
    expect(await ask(monitor.health, 'check', { service })).toMatchObject({ status: SERVING });
  });

  it.each(['lamadist', 'constructor', 'x'.repeat(500_000)])('knows no other service', async (service) => {
    await expect(ask(monitor.health, 'check', { service })).rejects.toMatchObject({ code: 'SERVICE_NOT_FOUND' });
  });

  it('lists every service, and the server itself', async () => {
    const { statuses } = await ask(monitor.health, 'list', {});
    expect(Object.keys(statuses)).toEqual(expect.arrayContaining(['', UPDATES, 'grpc.health.v1.Health']));
    expect(new Set(Object.values(statuses).map(({ status }) => status))).toEqual(new Set([SERVING]));
  });

  it.each([
    [UPDATES, SERVING],
    ['lamadist', SERVICE_UNKNOWN],
  ])('watches %s until the client goes away', async (service, status) => {
    const stream = monitor.health.watch({ service }, new Metadata(), soon());
    const messages = stream[Symbol.asyncIterator]();
    expect((await messages.next()).value).toMatchObject({ status });
    const later = messages.next().catch((error) => error);
    stream.cancel();
    expect(await later).toMatchObject({ details: 'Cancelled on client' });
  });
});
