// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import multicastDns from 'multicast-dns';
import { describe, expect, it, onTestFinished } from 'vitest';
import { announcedNodes, SERVICE } from '../../../agent/lamactl/contexts/announced.ts';

/** Where no other machine hears the question. */
const LOOPBACK = { interface: '127.0.0.1', bind: '0.0.0.0', port: 53_531 };

describe('nodes that announce themselves', () => {
  it('are found by the address that they answer from; whoever announces something else is not', async () => {
    const network = multicastDns(LOOPBACK);
    onTestFinished(() => void network.destroy());
    await once(network, 'ready');
    network.on('query', ({ questions = [] }) => {
      if (!questions.some(({ name }) => name === SERVICE)) return;
      network.respond({ answers: [{ name: '_printer._tcp.local', type: 'PTR', data: `laser._printer._tcp.local` }] });
      network.respond({
        answers: [{ name: SERVICE, type: 'PTR', data: `attic.${SERVICE}` }],
        additionals: [{ name: `attic.${SERVICE}`, type: 'SRV', data: { target: 'elsewhere.example', port: 7444 } }],
      });
    });
    const [found] = await announcedNodes(1_500, LOOPBACK);
    expect(found).toMatch(/:7444$/);
    expect(await announcedNodes(300, { ...LOOPBACK, port: 53_532 })).toEqual([]);
  });
});
