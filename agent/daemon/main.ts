// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { Failure } from '../shared/failure.ts';
import { requireTls13 } from '../shared/tls.ts';
import { VERSION } from '../shared/version.ts';
import { AccessFiles } from './access/access-files.ts';
import { AuditLog } from './access/audit-log.ts';
import { attesterOf, prepareKeys } from './compose/attestation.ts';
import { INVENTORY } from './compose/device.ts';
import { Edges } from './compose/edges.ts';
import { announced, eventsOf, recordPhases } from './compose/events.ts';
import { foldersOf } from './compose/folders.ts';
import { healthOf } from './compose/health.ts';
import { neighbours } from './compose/neighbours.ts';
import { updatesOf } from './compose/updates.ts';
import { readConfig } from './config.ts';
import { journalLogger } from './log.ts';
import { isCommitted, readTrialRecords } from './platform/linux/trial-files.ts';
import { ServiceManager } from './platform/systemd/notify.ts';
import { systemClock as clock } from './timing/clock.ts';
import { steadyBoot } from './update/effects/steady-boot.ts';
import { isStrayTrial, leaveStrayTrial } from './update/effects/stray-trial.ts';
import { isSettled, isTrial } from './update/life/state.ts';
import { keepsBundle } from './update/life/step.ts';

/** The composition root: with the folder compose/, the only place that names concrete neighbours. */

const env = process.env;

async function start(): Promise<void> {
  requireTls13();
  const config = await readConfig(env.LAMADIST_AGENT_CONFIG ?? '/etc/lamadist-agent/config.yaml');
  const log = journalLogger(config.log.level, process.stdout);
  const manager = new ServiceManager({ clock, log, env });
  const stopping = new AbortController();
  const folders = foldersOf(env);

  const found = await neighbours(env, log);
  const events = await eventsOf(folders, found, log);
  const outside = { ...found, reboot: announced(found.reboot, events) };
  const { monitor, gate } = healthOf(config.health, outside, events, log);
  const updates = await updatesOf({ folders, config, gate, log }, outside);
  const audit = await AuditLog.open(join(folders.state, 'audit.log'));
  const attester = attesterOf(env, folders);
  const files = new AccessFiles(config.tls.folder);
  const parts = { config, folders, events: events.events, files, attester, monitor, audit, log, stopping: stopping.signal, giveUp };
  const edges = new Edges(parts, outside, updates);

  function stop(signal: string): void {
    if (stopping.signal.aborted) return;
    log.info({ signal }, 'The agent stops');
    manager.stopping();
    updates.updater.stop();
    stopping.abort();
    void edges
      .close()
      .then(() => audit.close())
      .finally(() => {
        outside.close();
        process.exit(0);
      });
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, stop);

  const { updater, delivery, marks } = updates;
  const { boot, installer, reboot } = outside;
  const records = await readTrialRecords(folders);
  void recordPhases(events, updates.feed, stopping.signal);
  await updater.start({ ...boot, records });
  if (isSettled(updater.state)) await delivery.sweep(keepsBundle(updater.state));
  await edges.listen();
  manager.ready(stopping.signal);
  log.info({ version: VERSION, listen: config.listen, phase: updater.state.phase }, 'The agent is ready');

  void prepareKeys(attester, log, stopping.signal);
  const isStray = isStrayTrial(updater.state, records, boot.bootId, await isCommitted(folders));
  const steady = { installer, marks, gate, reboot, boot, clock, log };
  if (isStray) await leaveStrayTrial(steady, stopping.signal);
  else if (!isTrial(updater.state)) await steadyBoot({ ...steady, settled: () => isSettled(updater.state) }, stopping.signal);
  await monitor.watch(config.health.period, stopping.signal);
}

/** The agent also starts itself, to look at the hardware in a process that may wait. */
async function run(task: string | undefined): Promise<void> {
  if (task !== INVENTORY) return start();
  const { printInventory } = await import('./platform/systeminformation/print-inventory.ts');
  await printInventory();
}

function giveUp(error: unknown): never {
  const failure = Failure.from(error);
  process.stdout.write(`<3>${JSON.stringify({ level: 'fatal', code: failure.code, msg: failure.message })}\n`);
  process.exit(1);
}

run(process.argv[2]).catch(giveUp);
