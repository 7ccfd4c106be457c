// SPDX-License-Identifier: Apache-2.0
import type { Logger } from 'pino';
import { SystemBus } from '../platform/dbus/system-bus.ts';
import { currentBoot } from '../platform/linux/current-boot.ts';
import { readHostFacts } from '../platform/linux/host-facts.ts';
import { RaucInstaller } from '../platform/rauc/rauc-installer.ts';
import { bootTime } from '../platform/systemd/boot-time.ts';
import { rebootThroughLogin } from '../platform/systemd/login.ts';

const BUS_PATIENCE_MS = 30_000;

/** The system bus and who is reached through it, and what is true of this boot from its start to its end. */
export async function neighbours(env: NodeJS.ProcessEnv, log: Logger) {
  const boot = await currentBoot();
  const bus = new SystemBus({
    address: env.DBUS_SYSTEM_BUS_ADDRESS ?? 'unix:path=/run/dbus/system_bus_socket',
    random: Math.random,
    report: (error, when) => log.error({ err: error, when }, 'A message of the bus could not be handled'),
  });
  bus.start();
  // Without the bus there is nothing to decide with; the commit deadline sees to a bus that stays away.
  await bus
    .ready(AbortSignal.timeout(BUS_PATIENCE_MS))
    .catch((error) => log.error({ err: error }, 'The agent starts without the system bus'));
  const installer = new RaucInstaller(bus, log);
  return {
    boot,
    bus,
    installer,
    host: { ...(await readHostFacts()), bootedAt: await bootTime(bus) },
    reboot: rebootThroughLogin(bus),
    busConnected: () => bus.state.connected,
    close() {
      installer.close();
      bus.close();
    },
  };
}

export type Neighbours = Awaited<ReturnType<typeof neighbours>>;
