// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { Failure } from '../shared/failure.ts';
import {
  DeviceServiceDefinition,
  HealthDefinition,
  HealthServiceDefinition,
  ServerReflectionDefinition,
  UpdateServiceDefinition,
} from '../shared/gen/services.ts';
import { requireTls13 } from '../shared/tls.ts';
import { VERSION } from '../shared/version.ts';
import { AuditLog } from './access/audit-log.ts';
import { NodeServerCredentials } from './access/server-credentials.ts';
import { systemClock as clock } from './clock.ts';
import { readConfig } from './config.ts';
import { BundleDelivery } from './delivery/bundle-delivery.ts';
import { ClientOffers } from './delivery/client-offers.ts';
import { Spool } from './delivery/spool.ts';
import { readCheckDirectory } from './health/check-directory.ts';
import { HealthMonitor } from './health/health-monitor.ts';
import { journalLogger } from './log.ts';
import { nodeMetrics } from './metrics/node-metrics.ts';
import { processMetrics } from './metrics/process-metrics.ts';
import { listen, metricsServer } from './metrics/server.ts';
import { updateMetrics } from './metrics/update-metrics.ts';
import { SystemBus } from './platform/dbus/system-bus.ts';
import { openHttpsBundle } from './platform/https/https-bundle.ts';
import { currentBoot } from './platform/linux/current-boot.ts';
import { deviceSizeBytes } from './platform/linux/device-size.ts';
import { readHostFacts } from './platform/linux/host-facts.ts';
import { hasNetworkBlockDevice } from './platform/linux/network-block-device.ts';
import { linuxProbes } from './platform/linux/probes.ts';
import { readTrialRecords, trialMarks } from './platform/linux/trial-files.ts';
import { LoopbackRangeServer } from './platform/loopback/range-server.ts';
import { RaucInstaller } from './platform/rauc/rauc-installer.ts';
import { readBootLog } from './platform/systemd/boot-log.ts';
import { bootTime } from './platform/systemd/boot-time.ts';
import { rebootThroughLogin } from './platform/systemd/login.ts';
import { ServiceManager } from './platform/systemd/notify.ts';
import { systemdProbes } from './platform/systemd/probes.ts';
import { Callers } from './rpc/callers.ts';
import { deviceService } from './rpc/device-service.ts';
import { grpcHealth } from './rpc/grpc-health.ts';
import { guard } from './rpc/guard.ts';
import { healthService } from './rpc/health-service.ts';
import { reflection } from './rpc/reflection.ts';
import { RpcServer, type Service } from './rpc/server.ts';
import { updateService } from './rpc/update-service.ts';
import { checkRecord } from './update/check-record.ts';
import { effectRunner } from './update/effects.ts';
import { Feed } from './update/feed.ts';
import { History } from './update/history.ts';
import { Journal } from './update/journal.ts';
import type { Gate } from './update/ports.ts';
import { isTrial, type UpdateState } from './update/state.ts';
import { steadyBoot } from './update/steady-boot.ts';
import { Updater } from './update/updater.ts';

/** The composition root: the only file that names concrete neighbours. */

const env = process.env;
const folders = {
  state: env.STATE_DIRECTORY ?? '/var/lib/lamadist-agent',
  runtime: env.RUNTIME_DIRECTORY ?? '/run/lamadist-agent',
  records: '/var/lib/lamadist-trial',
};
const BUS_PATIENCE_MS = 30_000;
/** What a bundle on the disk leaves for logs and the journal. */
const SPOOL_RESERVE_BYTES = 32 << 20;
const BUS_ADDRESS = env.DBUS_SYSTEM_BUS_ADDRESS ?? 'unix:path=/run/dbus/system_bus_socket';

async function start(): Promise<void> {
  requireTls13();
  const config = await readConfig(env.LAMADIST_AGENT_CONFIG ?? '/etc/lamadist-agent/config.yaml');
  const log = journalLogger(config.log.level, process.stdout);
  const manager = new ServiceManager({ clock, log, env });
  const stopping = new AbortController();
  const boot = await currentBoot();

  const bus = new SystemBus({
    address: BUS_ADDRESS,
    random: Math.random,
    report: (error, when) => log.error({ err: error, when }, 'A message of the bus could not be handled'),
  });
  bus.start();
  const busConnected = () => bus.state.connected;
  // Without the bus there is nothing to decide with; the commit deadline sees to a bus that stays away.
  await bus
    .ready(AbortSignal.timeout(BUS_PATIENCE_MS))
    .catch((error) => log.error({ err: error }, 'The agent starts without the system bus'));
  const host = { ...(await readHostFacts()), bootedAt: await bootTime(bus) };
  const installer = new RaucInstaller(bus, log);
  const reboot = rebootThroughLogin(bus);

  const monitor = new HealthMonitor({
    load: () => readCheckDirectory(config.health.folders),
    probes: { ...linuxProbes, ...systemdProbes(bus) },
    clock,
    logger: log,
  });
  const gate: Gate = async (onCheck, signal) => {
    const { verdict } = await monitor.runGate(config.health['gate-deadline'], signal, (result) => onCheck(checkRecord(result)));
    return verdict.type === 'passed' ? { passed: true } : { ...verdict, passed: false };
  };

  const marks = trialMarks(folders);
  const history = new History(folders.state);
  const feed = new Feed<UpdateState>(randomUUID(), { phase: 'idle' });
  const caFile = config.download['ca-file'];
  const canStream = await hasNetworkBlockDevice();
  const offers = new ClientOffers(clock);
  const delivery = new BundleDelivery({
    openUrl: (url) => async (signal) => openHttpsBundle(new URL(url), { ...(caFile && { ca: await readFile(caFile) }) }, signal),
    offers,
    spool: new Spool({
      folder: join(folders.state, 'download'),
      maximumBytes: config.download['maximum-size'],
      reserveBytes: SPOOL_RESERVE_BYTES,
    }),
    ...(canStream && { rangeServer: new LoopbackRangeServer(log) }),
    clock,
    random: Math.random,
    onFetched: (operationId, bytes, sizeBytes) => void updater.submit({ type: 'bundle-fetched', operationId, bytes, sizeBytes }),
  });
  const updater: Updater = new Updater({
    journal: new Journal(folders.state),
    history,
    feed,
    clock,
    log,
    runEffect: effectRunner({
      installer,
      delivery,
      reboot,
      marks,
      gate,
      bootLog: readBootLog,
      boot,
      clock,
      runningVersion: host.imageVersion,
      deviceSizeBytes,
      failedHere: (version) => updater.failedHere(version) !== undefined,
    }),
  });

  const audit = await AuditLog.open(join(folders.state, 'audit.log'));
  const callers = new Callers();
  const newId = randomUUID;
  const services: Service[] = [
    {
      name: 'lamadist.agent.v1.UpdateService',
      definition: UpdateServiceDefinition,
      implementation: updateService({ updater, feed, history, installer, callers, boot, offers, clock, canStream, newId }),
    },
    { name: 'lamadist.agent.v1.HealthService', definition: HealthServiceDefinition, implementation: healthService(monitor) },
    {
      name: 'lamadist.agent.v1.DeviceService',
      definition: DeviceServiceDefinition,
      implementation: deviceService({ host, boot, agentVersion: VERSION, installer, busConnected, reboot, updater }),
    },
  ];
  const names = [...services.map(({ name }) => name), 'grpc.health.v1.Health', 'grpc.reflection.v1.ServerReflection'];
  const standard: Service[] = [
    { name: 'grpc.health.v1.Health', definition: HealthDefinition, implementation: grpcHealth(names) },
    { name: 'grpc.reflection.v1.ServerReflection', definition: ServerReflectionDefinition, implementation: reflection(names) },
  ];
  const rpc = new RpcServer(config.listen, [...services, ...standard], guard(callers, audit, log));
  const credentials = await NodeServerCredentials.read(config.tls.folder, log, () => rpc.drain());

  const registry = new Registry();
  processMetrics(registry);
  updateMetrics(registry, feed, stopping.signal);
  nodeMetrics(registry, {
    installer,
    busConnected,
    health: () => monitor.health,
    certificateExpiry: () => credentials.notAfter,
    agentVersion: VERSION,
  });
  const metrics = metricsServer(registry, log);

  function stop(signal: string): void {
    if (stopping.signal.aborted) return;
    log.info({ signal }, 'The agent stops');
    manager.stopping();
    updater.stop();
    stopping.abort();
    metrics.close();
    metrics.closeAllConnections();
    credentials.close();
    void rpc
      .close()
      .then(() => audit.close())
      .finally(() => {
        installer.close();
        bus.close();
        process.exit(0);
      });
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, stop);

  await updater.start({ ...boot, records: await readTrialRecords(folders) });
  await rpc.listen(credentials);
  await listen(metrics, config.metrics.listen);
  manager.ready(stopping.signal);
  log.info({ version: VERSION, listen: config.listen, phase: updater.state.phase }, 'The agent is ready');

  if (!isTrial(updater.state)) await steadyBoot({ installer, marks, gate, boot, clock, log }, stopping.signal);
  await monitor.watch(config.health.period, stopping.signal);
}

start().catch((error) => {
  const failure = Failure.from(error);
  process.stdout.write(`<3>${JSON.stringify({ level: 'fatal', code: failure.code, msg: failure.message })}\n`);
  process.exit(1);
});
