// SPDX-License-Identifier: Apache-2.0
import type { RemoteInfo } from 'node:dgram';
import { isIPv4 } from 'node:net';
import multicastDns, { type Options, type ResponsePacket } from 'multicast-dns';
import { Failure } from '../../shared/failure.ts';
import { DEFAULT_PORT } from '../../shared/tls.ts';

/** What nodes announce where their administrator has switched that on (RFC 6763); recipes-agent has it as lamadist.dnssd. */
export const SERVICE = '_lamadist._tcp.local';

/** A home has no more, and whoever answers for more is no home. */
const MAX_ANSWERS = 1_024;

/**
 * Asks the network who announces itself as a node (RFC 6762), and listens for a while. Resolves with `host:port` of those who
 * answered, by the addresses that they answered from; nothing else of what they say is used. Throws INVALID_REQUEST when nobody can be asked.
 */
export function announcedNodes(durationMs: number, options: Options = {}): Promise<readonly string[]> {
  const found = new Set<string>();
  const network = multicastDns(options);
  return new Promise((resolve, reject) => {
    const end = (settle: () => void) => {
      clearTimeout(timer);
      network.destroy();
      settle();
    };
    const fail = (error: Error) =>
      end(() => reject(new Failure('INVALID_REQUEST', `Cannot ask the network for nodes: ${error.message}`, {}, { cause: error })));
    const timer = setTimeout(() => end(() => resolve([...found])), durationMs);
    network.on('error', fail);
    network.on('response', (packet: ResponsePacket, { address }: RemoteInfo) => {
      const port = portIn(packet);
      if (port !== undefined && isIPv4(address) && found.size < MAX_ANSWERS) found.add(`${address}:${port}`);
    });
    network.query({ questions: [{ name: SERVICE, type: 'PTR' }] }, (error) => {
      if (error) fail(error);
    });
  });
}

/** The port of a node that answers; undefined when the answer is to something else. */
function portIn({ answers = [], additionals = [] }: ResponsePacket): number | undefined {
  if (!answers.some(({ type, name }) => type === 'PTR' && name.toLowerCase() === SERVICE)) return undefined;
  const place = [...answers, ...additionals].find(({ type, name }) => type === 'SRV' && name.toLowerCase().endsWith(`.${SERVICE}`));
  const port = place?.type === 'SRV' ? place.data.port : DEFAULT_PORT;
  return port > 0 && port <= 65_535 ? port : undefined;
}
