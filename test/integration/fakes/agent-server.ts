// SPDX-License-Identifier: Apache-2.0
import { createPrivateKey } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { AccessFiles } from '../../../agent/daemon/access/access-files.ts';
import { AccessKeeper } from '../../../agent/daemon/access/access-keeper.ts';
import { AuditLog } from '../../../agent/daemon/access/audit-log.ts';
import { certificateRequest } from '../../../agent/daemon/access/own-certificate.ts';
import { NodeServerCredentials } from '../../../agent/daemon/access/server-credentials.ts';
import { BundleAccessStore } from '../../../agent/daemon/delivery/bundle-access.ts';
import { ClientOffers } from '../../../agent/daemon/delivery/client-offers.ts';
import type { Health } from '../../../agent/daemon/health/health-monitor.ts';
import { EventLog } from '../../../agent/daemon/node/event-log.ts';
import type { ReadLog } from '../../../agent/daemon/node/node-log.ts';
import { RolloutRegisters } from '../../../agent/daemon/rollout/registers.ts';
import { admitByRole } from '../../../agent/daemon/rpc/admission.ts';
import { Callers } from '../../../agent/daemon/rpc/callers.ts';
import { Connections } from '../../../agent/daemon/rpc/connections.ts';
import { guard } from '../../../agent/daemon/rpc/guard.ts';
import { RpcServer } from '../../../agent/daemon/rpc/server.ts';
import { accessService } from '../../../agent/daemon/rpc/services/access-service.ts';
import { type AttestationServiceParts, attestationService } from '../../../agent/daemon/rpc/services/attestation-service.ts';
import { auditService } from '../../../agent/daemon/rpc/services/audit-service.ts';
import { deviceService } from '../../../agent/daemon/rpc/services/device-service.ts';
import { closedEnrolment } from '../../../agent/daemon/rpc/services/enrolment-service.ts';
import { eventService } from '../../../agent/daemon/rpc/services/event-service.ts';
import { grpcHealth } from '../../../agent/daemon/rpc/services/grpc-health.ts';
import { healthService } from '../../../agent/daemon/rpc/services/health-service.ts';
import { logService } from '../../../agent/daemon/rpc/services/log-service.ts';
import { deviceReader } from '../../../agent/daemon/rpc/services/read-device.ts';
import { reflection } from '../../../agent/daemon/rpc/services/reflection.ts';
import { rolloutService } from '../../../agent/daemon/rpc/services/rollout-service.ts';
import { statusService } from '../../../agent/daemon/rpc/services/status-service.ts';
import { unitService } from '../../../agent/daemon/rpc/services/unit-service.ts';
import { updateService } from '../../../agent/daemon/rpc/services/update-service.ts';
import type { StateOf } from '../../../agent/daemon/update/life/state.ts';
import { History } from '../../../agent/daemon/update/records/history.ts';
import { Failure } from '../../../agent/shared/failure.ts';
import * as definitions from '../../../agent/shared/gen/services.ts';
import { TestPki } from '../../../qemu/pki/test-pki.ts';
import { FakeNode } from '../../unit/daemon/update/node.ts';
import { ARMED_BOOT } from '../../unit/daemon/update/states.ts';
import { keepingLogger } from '../../unit/fakes/log.ts';
import { freePort } from './free-port.ts';

const noTpm = async (): Promise<never> => {
  throw new Failure('TPM_MISSING', 'Cannot use the TPM: there is no /dev/tpmrm0');
};
const NO_TPM: AttestationServiceParts['attester'] = { identity: noTpm, activate: noTpm, evidence: noTpm };

const healthy: Health = { verdict: { type: 'passed', message: 'All 1 required checks passed' }, results: [], broken: [] };

/** The gRPC edge as the daemon has it, over real TLS on loopback, in front of a node in memory. */
export async function startAgentServer(
  attester: AttestationServiceParts['attester'] = NO_TPM,
  patience?: Parameters<typeof guard>[1],
  readLog: ReadLog = async function* () {},
  /** What the node is said to have come to, in place of an update of its own. */
  committed?: StateOf<'committed'>,
) {
  const folder = await mkdtemp(path.join(tmpdir(), 'lamadist-rpc-'));
  // Not where the certificates are watched: each line of the audit log would have them read again, and connections drained.
  const state = await mkdtemp(path.join(tmpdir(), 'lamadist-rpc-state-'));
  const pki = await TestPki.create();
  const server = await pki.node('attic', '127.0.0.1');
  await writeFile(path.join(folder, 'ca.pem'), pki.agentAuthority.certificate);
  await writeFile(path.join(folder, 'node.pem'), server.certificate);
  await writeFile(path.join(folder, 'node.key'), server.key, { mode: 0o600 });

  const { log, lines } = keepingLogger();
  const node = new FakeNode();
  const history = new History(state);
  node.keep = (update) => history.keep(update);
  const { updater, feed } = await node.startWithFeed(ARMED_BOOT, 'A');
  const auditPath = path.join(state, 'audit.log');
  const audit = await AuditLog.open(auditPath);
  const events = await EventLog.open({ folder: path.join(folder, 'events'), bootId: ARMED_BOOT, clock: node.clock, log });
  const callers = new Callers();
  const address = `127.0.0.1:${await freePort()}`;
  const boot = { bootId: ARMED_BOOT, bootname: 'A' };
  const { installer } = node;
  const offers = new ClientOffers(node.clock);
  const kept = path.join(folder, 'kept.raucb');
  let ids = 0;
  const newId = () => `operation-${++ids}`;
  const host = {
    hostname: 'attic',
    machineId: 'm',
    bootedAt: new Date(0),
    imageId: 'lamadist',
    imageVersion: '1',
    kernelRelease: '6.6',
    architecture: 'x86_64',
  };
  const access = new BundleAccessStore(path.join(folder, 'access'));
  const rollouts = new RolloutRegisters(path.join(state, 'rollouts'), log);
  const names = [
    'lamadist.agent.v1.UpdateService',
    'lamadist.agent.v1.RolloutService',
    'lamadist.agent.v1.HealthService',
    'lamadist.agent.v1.StatusService',
    'lamadist.agent.v1.DeviceService',
    'lamadist.agent.v1.AttestationService',
    'lamadist.agent.v1.AccessService',
    'lamadist.agent.v1.EnrolmentService',
    'lamadist.agent.v1.AuditService',
    'lamadist.agent.v1.UnitService',
    'lamadist.agent.v1.LogService',
    'lamadist.agent.v1.EventService',
    'grpc.health.v1.Health',
    'grpc.reflection.v1.ServerReflection',
  ];
  const keeper = new AccessKeeper({
    files: new AccessFiles(folder),
    identity: () => credentials.identity,
    nodeKey: () => createPrivateKey(server.key),
    reload: () => credentials.reload(),
    nowMs: Date.now,
  });
  const readDevice = deviceReader({ host, boot, agentVersion: '0', installer, busConnected: () => true, clock: node.clock });
  const services = [
    updateService({
      updater: committed ? { state: committed, submit: (event) => updater.submit(event), failedHere: () => undefined } : updater,
      feed,
      history,
      installer,
      callers,
      boot,
      offers,
      delivery: { kept: async () => kept },
      access,
      clock: node.clock,
      canStream: false,
      mediaBundles: async () => [],
      newId,
      rollouts,
    }),
    rolloutService(rollouts),
    healthService({ health: healthy, runOnce: async () => healthy }),
    statusService({ readDevice, monitor: { health: healthy }, updater }),
    deviceService({
      readDevice,
      boot,
      reboot: async () => void node.reboots++,
      updater,
      rollouts,
      inventory: async () => Promise.reject(new Error('there is no hardware')),
      securityPosture: async () => [],
      diskUsage: { fileSystems: async () => [], folder: async (folder) => ({ ...folder, usedBytes: 0, files: 0, complete: true }) },
      folders: [],
    }),
    attestationService({ attester, serverCertificateSha256: () => credentials.certificateSha256 }),
    accessService({ keeper, certificateRequest: () => certificateRequest(createPrivateKey(server.key)) }),
    closedEnrolment(),
    auditService(audit),
    unitService({ list: async () => [], restart: async () => Promise.reject(new Error('there are no units')) }, []),
    logService(readLog),
    eventService(events),
    grpcHealth(names),
    reflection(names),
  ];
  const served = [
    definitions.UpdateServiceDefinition,
    definitions.RolloutServiceDefinition,
    definitions.HealthServiceDefinition,
    definitions.StatusServiceDefinition,
    definitions.DeviceServiceDefinition,
    definitions.AttestationServiceDefinition,
    definitions.AccessServiceDefinition,
    definitions.EnrolmentServiceDefinition,
    definitions.AuditServiceDefinition,
    definitions.UnitServiceDefinition,
    definitions.LogServiceDefinition,
    definitions.EventServiceDefinition,
    definitions.HealthDefinition,
    definitions.ServerReflectionDefinition,
  ];
  const credentials = await NodeServerCredentials.read(folder, log, (change) => rpc.renew(change));
  const connections = new Connections();
  const rpc = new RpcServer({
    services: served.map((definition, index) => ({ name: '', definition, implementation: services[index]! })),
    guard: guard({ admit: admitByRole(callers), connections, audit, log }, patience),
    guests: 'certified',
    context: credentials.context,
    connections,
  });
  await rpc.listen(address);

  return {
    address,
    folder,
    pki,
    node,
    updater,
    feed,
    history,
    events,
    offers,
    audit,
    connections,
    lines,
    auditLog: () => readFile(auditPath, 'utf8'),
    async stop() {
      await rpc.close();
      credentials.close();
      updater.stop();
      await audit.close();
      await rm(folder, { recursive: true, force: true });
      await rm(state, { recursive: true, force: true });
    },
  };
}

export type AgentServer = Awaited<ReturnType<typeof startAgentServer>>;
