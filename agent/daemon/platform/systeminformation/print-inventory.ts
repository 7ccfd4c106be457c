// SPDX-License-Identifier: Apache-2.0
import { networkInterfaces } from './network-interfaces.ts';

/**
 * The body of a process of its own: looks at the hardware and writes one JSON document. systeminformation starts many programs and
 * holds up the event loop while it waits for some of them, which must not happen to the agent.
 */
export async function printInventory(): Promise<void> {
  // Only here, for it takes memory and time to load.
  const { default: si } = await import('systeminformation');
  const problems: string[] = [];
  const look = async <T, F extends object>(what: string, ask: () => Promise<T>, found: (answer: T) => F): Promise<Partial<F>> => {
    try {
      return found(await ask());
    } catch (error) {
      problems.push(`${what}: ${(error as Error).message}`);
      return {};
    }
  };
  const inventory = {
    system: await look('system', si.system, ({ manufacturer, model, version, serial }) => {
      return { vendor: manufacturer, name: model, version, serial };
    }),
    board: await look('board', si.baseboard, ({ manufacturer, model, version, serial }) => {
      return { vendor: manufacturer, name: model, version, serial };
    }),
    firmware: await look('firmware', si.bios, ({ vendor, version, releaseDate }) => ({ vendor, version, released: releaseDate })),
    processor: await look('processor', si.cpu, ({ manufacturer, brand, physicalCores, cores }) => {
      return { vendor: manufacturer, model: brand, cores: physicalCores, threads: cores };
    }),
    ...(await look('memory', si.mem, ({ total }) => ({ memoryBytes: total }))),
    ...(await look('disks', si.diskLayout, (disks) => ({
      disks: disks.map(({ device, vendor, name, serialNum, type, interfaceType, size }) => {
        return {
          name: device,
          vendor,
          model: name,
          serial: serialNum,
          type: interfaceType === 'NVMe' ? interfaceType : type,
          sizeBytes: size,
        };
      }),
    }))),
    ...(await look('network interfaces', networkInterfaces, (found) => ({ networkInterfaces: found }))),
    problems,
  };
  process.stdout.write(`${JSON.stringify(inventory)}\n`);
}
