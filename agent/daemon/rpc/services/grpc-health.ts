// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../../shared/failure.ts';
import { grpc } from '../../../shared/gen/messages.js';
import type { HealthHandlers } from '../../../shared/gen/services.ts';
import { serverStream, unary } from '../handlers.ts';

type Status = grpc.health.v1.HealthCheckResponse.ServingStatus;
const { SERVING, SERVICE_UNKNOWN } = grpc.health.v1.HealthCheckResponse.ServingStatus;

/**
 * grpc.health.v1 (gRPC health checking protocol): whether this server answers, which it does for every service or for
 * none. Whether the node is healthy is another question, and HealthService's.
 */
export function grpcHealth(services: readonly string[]): HealthHandlers {
  const known = new Set(['', ...services]);
  const statusOf = (service: string): Status => (known.has(service) ? SERVING : SERVICE_UNKNOWN);
  return {
    check: unary(({ service }) => {
      // The protocol wants NOT_FOUND here, and SERVICE_UNKNOWN only from Watch.
      if (!known.has(service))
        throw new Failure('SERVICE_NOT_FOUND', `Cannot tell the status of "${service}": the agent has no such service`);
      return { status: SERVING };
    }),
    list: unary(() => ({ statuses: Object.fromEntries([...known].map((service) => [service, { status: SERVING }])) })),
    watch: serverStream(async function* ({ service }, { signal }) {
      yield { status: statusOf(service) };
      // Nothing changes until the server goes, and then the stream goes with it.
      if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    }),
  };
}
