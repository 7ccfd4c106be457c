// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Server, ServerCredentials, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DeviceServiceDefinition, HealthServiceDefinition, UpdateServiceDefinition } from '../../../agent/shared/gen/services.ts';
import { Certificates } from './certificates.ts';

const MAIN = fileURLToPath(new URL('../../../agent/lamactl/main.ts', import.meta.url));
const certificates = new Certificates();
const server = new Server();

const handlers: UntypedServiceImplementation = {
  installBundle: (_call: unknown, answer: (error: null, response: object) => void) => answer(null, { operationId: 'op-1' }),
  getUpdate: (_call: unknown, answer: (error: null, response: object) => void) =>
    answer(null, { update: { operationId: 'op-1', phase: 4 } }),
  watchUpdate: (call: { write: (message: object) => void }) => call.write({ cursor: '1', progress: { operationId: 'op-1', phase: 4 } }),
};

beforeAll(async () => {
  certificates.authority('ca');
  certificates.leaf('attic', 'ca');
  certificates.leaf('admin', 'ca');
  server.addService({ ...DeviceServiceDefinition, ...HealthServiceDefinition, ...UpdateServiceDefinition }, handlers);
  const pem = (name: string) => readFileSync(certificates.path(name));
  const credentials = ServerCredentials.createSsl(pem('ca.pem'), [{ cert_chain: pem('attic.pem'), private_key: pem('attic.key') }], true);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', credentials, (error, bound) => (error ? reject(error) : resolve(bound)));
  });
  const context = { ca: 'ca.pem', certificate: 'admin.pem', key: 'admin.key', nodes: { attic: { address: `127.0.0.1:${port}` } } };
  writeFileSync(certificates.path('config.yaml'), JSON.stringify({ contexts: { home: context } }));
});

afterAll(() => {
  server.forceShutdown();
  certificates.remove();
});

/** Runs lamactl as a process of its own, as a person does. */
function start(...argv: string[]): ChildProcess {
  const env = { ...process.env, LAMACTL_CONFIG: certificates.path('config.yaml') };
  return spawn(process.execPath, ['--import', 'tsx', MAIN, ...argv], { env, stdio: ['ignore', 'pipe', 'pipe'] });
}

async function ended(child: ChildProcess): Promise<{ code: number | null; stdout: string; stderr: string }> {
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (data) => {
    stdout += data;
  });
  child.stderr?.on('data', (data) => {
    stderr += data;
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, stdout, stderr };
}

describe('the process lamactl', { timeout: 30_000 }, () => {
  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('ends with 12 on %s during an install, and says how to watch', async (signal) => {
    const child = start('install', '--on-node', '/data/two.raucb');
    let interrupted = false;
    child.stdout?.on('data', (data: Buffer) => {
      if (data.includes('installing') && !interrupted) interrupted = child.kill(signal);
    });
    const { code, stderr } = await ended(child);
    expect(stderr).toContain('lamactl watch -n attic');
    expect(code).toBe(12);
  });

  it('ends by itself, with the exit code and the message of a refused call', async () => {
    const { code, stderr } = await ended(start('history'));
    expect(stderr).toContain('attic: Cannot talk to 127.0.0.1:');
    expect(code).toBe(1);
  });

  it('takes a reader that has gone for Ctrl-C where something is under way', async () => {
    const child = start('install', '--on-node', '/data/two.raucb');
    child.stdout?.destroy();
    const { code, stderr } = await ended(child);
    expect(stderr).toContain('lamactl watch -n attic');
    expect(code).toBe(12);
  });

  it('ends quietly when its reader has gone', async () => {
    const child = start('--help');
    child.stdout?.destroy();
    expect((await ended(child)).stderr).toBe('');
  });
});
