// SPDX-License-Identifier: Apache-2.0
import { type CallOptions, type Client, credentials, Metadata, type requestCallback } from '@grpc/grpc-js';
import type { Role } from '../../../agent/daemon/access/roles.ts';
import * as services from '../../../agent/shared/gen/services.ts';
import { failureIn } from '../../../agent/shared/status.ts';
import { channelOptions } from '../../../agent/shared/tls.ts';
import type { AgentServer } from './agent-server.ts';

/** All services of an agent, for a client of one role. */
export async function connect({ pki, address }: Pick<AgentServer, 'pki' | 'address'>, role: Role = 'admin') {
  const { key, certificate } = await pki.client(role);
  const identity = [pki.agentAuthority.certificate, key, certificate].map((pem) => Buffer.from(pem));
  const open = <C extends Client>(Service: new (...args: ConstructorParameters<typeof Client>) => C): C =>
    new Service(address, credentials.createSsl(...identity), channelOptions('attic'));
  const clients = {
    updates: open(services.UpdateServiceClient),
    rollouts: open(services.RolloutServiceClient),
    device: open(services.DeviceServiceClient),
    nodeHealth: open(services.HealthServiceClient),
    health: open(services.HealthClient),
    logs: open(services.LogServiceClient),
    audit: open(services.AuditServiceClient),
    events: open(services.EventServiceClient),
    reflection: open(services.ServerReflectionClient),
  };
  return {
    ...clients,
    close() {
      for (const client of Object.values(clients)) client.close();
    },
  };
}

export type AgentClient = Awaited<ReturnType<typeof connect>>;

/** No call of a test waits longer than this. */
export const soon = () => ({ deadline: Date.now() + 10_000 });

type Method<Request, Response> = (
  request: Request,
  metadata: Metadata,
  options: CallOptions,
  callback: requestCallback<Response>,
) => unknown;
type RequestOf<M> = M extends (request: infer Request, ...rest: never[]) => unknown ? Request : never;
type ResponseOf<M> = M extends Method<never, infer Response> ? Response : never;

/** Awaits the one answer to a call; what the node refused is thrown as the Failure that it sent. */
export function ask<C, N extends keyof C>(client: C, name: N, request: RequestOf<C[N]>): Promise<ResponseOf<C[N]>> {
  const method = client[name] as Method<RequestOf<C[N]>, ResponseOf<C[N]>>;
  return new Promise((resolve, reject) => {
    method.call(client, request, new Metadata(), soon(), (error, response) => {
      if (error) reject(failureIn(error) ?? error);
      else resolve(response as ResponseOf<C[N]>);
    });
  });
}
