// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Server, ServerCredentials, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DeviceServiceDefinition, HealthServiceDefinition, UpdateServiceDefinition } from '../../../agent/shared/gen/services.ts';
import { CertificateAuthority } from '../../../qemu/pki/certificate-authority.ts';

const LAMACTL = path.resolve(import.meta.dirname, '../../../dist/lamactl.js');
/** Enough to be shared out among threads. */
const NODES = 200;
const DEAD = 'node-007';
const UNKNOWN = 4;
const UNDER_WAY = 12;

const nameOf = (index: number): string => `node-${String(index).padStart(3, '0')}`;

/** All nodes are one server, which is called by many names. */
let [folder, server] = ['', new Server()];

beforeAll(async () => {
  const authority = await CertificateAuthority.create('fleet');
  const node = await authority.issue({ commonName: 'fleet', purpose: 'server', dnsNames: ['*.nodes.fleet'] });
  const admin = await authority.issue({ commonName: 'admin', organization: 'lamadist:reader', purpose: 'client' });
  const always =
    (response: object): UntypedServiceImplementation[string] =>
    (_call: unknown, answer: (error: null, response: object) => void) =>
      answer(null, response);
  const handlers = {
    getDevice: always({ device: { imageVersion: '1', rauc: 1 } }),
    getHealth: always({ verdict: 2 }),
    getUpdate: always({}),
  };
  server = new Server();
  server.addService({ ...DeviceServiceDefinition, ...HealthServiceDefinition, ...UpdateServiceDefinition }, handlers);
  const own = [{ cert_chain: Buffer.from(node.certificate), private_key: Buffer.from(node.key) }];
  const credentials = ServerCredentials.createSsl(Buffer.from(authority.certificate), own, true);
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', credentials, (error, bound) => (error ? reject(error) : resolve(bound))),
  );
  folder = await mkdtemp(path.join(tmpdir(), 'lamadist-poll-'));
  const nodes = Array.from({ length: NODES }, (_, index) => {
    const at = nameOf(index) === DEAD ? 1 : port;
    return `      ${nameOf(index)}: { address: "127.0.0.1:${at}", name: ${nameOf(index)}.nodes.fleet }\n`;
  });
  const files = '    ca: ca.pem\n    certificate: admin.pem\n    key: admin.key\n';
  await writeFile(path.join(folder, 'config.yaml'), `contexts:\n  home:\n${files}    nodes:\n${nodes.join('')}`);
  await writeFile(path.join(folder, 'ca.pem'), authority.certificate);
  await writeFile(path.join(folder, 'admin.pem'), admin.certificate);
  await writeFile(path.join(folder, 'admin.key'), admin.key, { mode: 0o600 });
});
afterAll(async () => {
  server.forceShutdown();
  await rm(folder, { recursive: true, force: true });
});

const lamactl = (...args: readonly string[]) =>
  execa('node', [LAMACTL, ...args], { reject: false, env: { ...process.env, LAMACTL_CONFIG: path.join(folder, 'config.yaml') } });

describe('lamactl status over so many nodes that threads share them', { timeout: 60_000 }, () => {
  it('tells of each once, in the order of the context, and of the one that is dead why', async () => {
    const { exitCode, stdout, stderr } = await lamactl('status', '--all', '-o', 'json');
    expect(exitCode, stderr).toBe(UNKNOWN);
    const { nodes } = JSON.parse(stdout) as { nodes: { node: string; version?: string; error?: { code: string } }[] };
    expect(nodes.map(({ node }) => node)).toEqual(Array.from({ length: NODES }, (_, index) => nameOf(index)));
    for (const { node, version, error } of nodes) {
      if (node === DEAD) expect(error).toMatchObject({ code: 'NODE_UNREACHABLE' });
      else expect(version).toBe('1');
    }
  });

  it('is not done when nobody reads on in the middle of it', async () => {
    const cut = lamactl('status', '--all', '-o', 'jsonl');
    cut.stdout.destroy();
    expect((await cut).exitCode).toBe(UNDER_WAY);
  });

  it('tells of each in a line of its own, as it answers', async () => {
    const { exitCode, stdout } = await lamactl('status', '--all', '-o', 'jsonl');
    expect(exitCode).toBe(UNKNOWN);
    const names = stdout.split('\n').map((line) => (JSON.parse(line) as { node: string }).node);
    expect(names.sort()).toEqual(Array.from({ length: NODES }, (_, index) => nameOf(index)));
  });
});
