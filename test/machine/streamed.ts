// SPDX-License-Identifier: Apache-2.0
import { stat } from 'node:fs/promises';
import { expect } from 'vitest';
import type { Homelab } from '../../qemu/homelab.ts';
import { HOST_SEEN_FROM_MACHINE } from '../../qemu/vm/machine/qemu-command.ts';
import { type BundleServer, serveBundle } from '../integration/fakes/bundle-server.ts';
import { json } from '../integration/node/ask-node.ts';

/** What the server wants to be shown. */
export const SECRET = 'of-this-test-7c2f1e';
const TOKEN = `Bearer ${SECRET}`;
/** A node that trusts the server. */
export const TRUSTING = { config: { download: { 'ca-file': '/etc/lamadist-agent/tls/ca.pem' } } };

/** Serves a bundle to machines, from this one, for a token alone. */
export function serveToMachines({ pki }: Homelab, bundle: string): Promise<BundleServer> {
  return serveBundle(pki.agentAuthority, bundle, TOKEN, HOST_SEEN_FROM_MACHINE);
}

/** The exit code of lamactl, and all that it said, when it has a node install from a server and leaves the reboot to somebody. */
export async function installFrom(homelab: Homelab, { url }: BundleServer): Promise<{ exitCode: number | undefined; all: string }> {
  const { exitCode, all } = await homelab.lamactl(['install', '--header', `Authorization: ${TOKEN}`, url, '--reboot', 'manual']);
  return { exitCode, all: String(all) };
}

interface Fetched {
  readonly fetchedBytes: number;
  readonly bundleBytes: number;
}

/** Little of the bundle was new, and RAUC asked for that alone: what the last update that ended says of it. */
export async function expectFewBytes(homelab: Homelab, bundle: string): Promise<Fetched> {
  const { size } = await stat(bundle);
  const { nodes } = await json<{ nodes: { updates: { fetched?: Fetched }[] }[] }>(homelab, 'history');
  const fetched = nodes[0]?.updates[0]?.fetched;
  expect(fetched).toMatchObject({ bundleBytes: size });
  expect(fetched!.fetchedBytes).toBeGreaterThan(100_000);
  expect(fetched!.fetchedBytes).toBeLessThan(size / 10);
  process.stderr.write(`Fetched ${fetched!.fetchedBytes} of ${size} octets\n`);
  return fetched!;
}
