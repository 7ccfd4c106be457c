// SPDX-License-Identifier: Apache-2.0
import { createPrivateKey, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Logger } from 'pino';
import {
  AccessServiceDefinition,
  AttestationServiceDefinition,
  AuditServiceDefinition,
  EnrolmentServiceDefinition,
  HealthDefinition,
  HealthServiceDefinition,
  RolloutServiceDefinition,
  ServerReflectionDefinition,
  UpdateServiceDefinition,
} from '../../shared/gen/services.ts';
import type { AccessFiles } from '../access/access-files.ts';
import { AccessKeeper } from '../access/access-keeper.ts';
import type { AuditLog } from '../access/audit-log.ts';
import { certificateRequest } from '../access/own-certificate.ts';
import type { NodeServerCredentials } from '../access/server-credentials.ts';
import type { Attester } from '../attestation/attester.ts';
import type { Config } from '../config.ts';
import type { HealthMonitor } from '../health/health-monitor.ts';
import type { EventLog } from '../node/event-log.ts';
import { RolloutRegisters } from '../rollout/registers.ts';
import { admitByRole } from '../rpc/admission.ts';
import { Callers } from '../rpc/callers.ts';
import { Connections } from '../rpc/connections.ts';
import { guard } from '../rpc/guard.ts';
import { RpcServer, type Service } from '../rpc/server.ts';
import { accessService } from '../rpc/services/access-service.ts';
import { attestationService } from '../rpc/services/attestation-service.ts';
import { auditService } from '../rpc/services/audit-service.ts';
import { closedEnrolment } from '../rpc/services/enrolment-service.ts';
import { grpcHealth } from '../rpc/services/grpc-health.ts';
import { healthService } from '../rpc/services/health-service.ts';
import { reflection } from '../rpc/services/reflection.ts';
import { rolloutService } from '../rpc/services/rollout-service.ts';
import { updateService } from '../rpc/services/update-service.ts';
import { systemClock as clock } from '../timing/clock.ts';
import { deviceServices } from './device.ts';
import type { Folders } from './folders.ts';
import type { Neighbours } from './neighbours.ts';
import type { Updates } from './updates.ts';

export interface RpcParts {
  readonly config: Config;
  readonly folders: Folders;
  readonly events: EventLog;
  readonly files: AccessFiles;
  readonly credentials: NodeServerCredentials;
  readonly attester: Attester;
  readonly monitor: HealthMonitor;
  readonly audit: AuditLog;
  readonly log: Logger;
}

/** Every service of the gRPC edge behind its guard, not yet listening. */
export function rpcOf(parts: RpcParts, neighbours: Neighbours, updates: Updates): RpcServer {
  const { config, folders, events, files, credentials, attester, monitor, audit, log } = parts;
  const { boot, installer } = neighbours;
  const callers = new Callers();
  const rollouts = new RolloutRegisters(join(folders.state, 'rollouts'), log);
  const services: Service[] = [
    {
      name: 'lamadist.agent.v1.UpdateService',
      definition: UpdateServiceDefinition,
      implementation: updateService({ ...updates, installer, callers, boot, clock, newId: randomUUID, rollouts }),
    },
    { name: 'lamadist.agent.v1.HealthService', definition: HealthServiceDefinition, implementation: healthService(monitor) },
    ...deviceServices({ config, folders, events, monitor, rollouts }, neighbours, updates),
    {
      name: 'lamadist.agent.v1.AttestationService',
      definition: AttestationServiceDefinition,
      implementation: attestationService({ attester, serverCertificateSha256: () => credentials.certificateSha256 }),
    },
    { name: 'lamadist.agent.v1.AccessService', definition: AccessServiceDefinition, implementation: access({ files, credentials }) },
    { name: 'lamadist.agent.v1.EnrolmentService', definition: EnrolmentServiceDefinition, implementation: closedEnrolment() },
    { name: 'lamadist.agent.v1.RolloutService', definition: RolloutServiceDefinition, implementation: rolloutService(rollouts) },
    { name: 'lamadist.agent.v1.AuditService', definition: AuditServiceDefinition, implementation: auditService(audit) },
  ];
  const names = [...services.map(({ name }) => name), 'grpc.health.v1.Health', 'grpc.reflection.v1.ServerReflection'];
  const standard: Service[] = [
    { name: 'grpc.health.v1.Health', definition: HealthDefinition, implementation: grpcHealth(names) },
    { name: 'grpc.reflection.v1.ServerReflection', definition: ServerReflectionDefinition, implementation: reflection(names) },
  ];
  const connections = new Connections();
  return new RpcServer({
    services: [...services, ...standard],
    guard: guard({ admit: admitByRole(callers), connections, audit, log }),
    guests: 'certified',
    context: credentials.context,
    connections,
  });
}

function access({ files, credentials }: Pick<RpcParts, 'files' | 'credentials'>) {
  const key = () => createPrivateKey(credentials.identity.key);
  const keeper = new AccessKeeper({
    files,
    identity: () => credentials.identity,
    nodeKey: key,
    reload: () => credentials.reload(),
    nowMs: Date.now,
  });
  return accessService({ keeper, certificateRequest: () => certificateRequest(key()) });
}
