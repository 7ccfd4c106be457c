// SPDX-License-Identifier: Apache-2.0
import { createReadStream } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { HOST_SEEN_FROM_MACHINE } from '../../qemu/vm/machine/qemu-command.ts';

const KERNEL = '/installer.efi';

export interface IpxeServer {
  /** For iPXE: has it start the UKI with the words on its command line. */
  readonly script: string;
  /** Whether the UKI was fetched whole. */
  wasFetched(): boolean;
  close(): void;
}

/** Serves a UKI on loopback, for iPXE to start with these words. */
export async function startIpxeServer(uki: string, words: readonly string[]): Promise<IpxeServer> {
  let fetched = false;
  const server = createServer((request, response) => {
    if (request.url !== KERNEL) return void response.writeHead(404).end();
    pipeline(createReadStream(uki), response).then(
      () => (fetched = true),
      () => response.destroy(),
    );
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const script = ['#!ipxe', 'dhcp', `kernel http://${HOST_SEEN_FROM_MACHINE}:${port}${KERNEL} ${words.join(' ')}`, 'boot', ''].join('\n');
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { script, wasFetched: () => fetched, close };
}
