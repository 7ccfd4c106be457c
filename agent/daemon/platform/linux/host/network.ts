// SPDX-License-Identifier: Apache-2.0
import type { InterfaceReadings } from '../../../node/host-readings.ts';

/** The ends of containers' cables: they come and go by the hundred, under names that nobody knows. */
const OF_CONTAINERS = /^(?:veth|cali|lxc|tap)/;

/** Reads /proc/net/dev, proc_net(5): two lines of headings, then `eth0: ` and sixteen counters. `up` are the interfaces that carry traffic. */
export function parseNetDev(text: string, up: ReadonlySet<string>): InterfaceReadings[] {
  return text
    .split('\n')
    .slice(2)
    .flatMap((line) => {
      const colon = line.lastIndexOf(':');
      const name = line.slice(0, colon).trim();
      if (colon < 0 || OF_CONTAINERS.test(name)) return [];
      const counters = line
        .slice(colon + 1)
        .trim()
        .split(/\s+/)
        .map(Number);
      return [{ name, received: traffic(counters), transmitted: traffic(counters.slice(8)), up: up.has(name) }];
    });
}

function traffic([bytes = 0, packets = 0, errors = 0, drops = 0]: readonly number[]): InterfaceReadings['received'] {
  return { bytes, packets, errors, drops };
}
