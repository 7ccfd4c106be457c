// SPDX-License-Identifier: Apache-2.0
import { rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import tls from 'node:tls';
import { credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LEAST_ROLE, mayCall, ROLES } from '../../../../agent/daemon/access/roles.ts';
import { DeviceServiceClient, UpdateServiceClient } from '../../../../agent/shared/gen/services.ts';
import { failureIn } from '../../../../agent/shared/status.ts';
import { channelOptions } from '../../../../agent/shared/tls.ts';
import { CertificateAuthority, type Credentials } from '../../../../qemu/pki/certificate-authority.ts';
import { firstBrokenLine } from '../../../unit/fakes/audit.ts';
import { type AgentServer, startAgentServer } from '../../fakes/agent-server.ts';

let server: AgentServer;
beforeEach(async () => {
  server = await startAgentServer();
});
afterEach(() => server.stop());

/** Node verifies after OpenSSL's handshake, and then hangs up without an alert. */
const ENDED = /^(closed|ECONNRESET)$/;

const deadline = () => ({ deadline: Date.now() + 5_000 });

/** Shows a certificate, or none, and reads until the server ends the connection or answers. */
function shake(client?: Credentials, maxVersion: tls.SecureVersion = 'TLSv1.3'): Promise<string> {
  const [host = '', port = ''] = server.address.split(':');
  const identity = client && { cert: client.certificate, key: client.key };
  return new Promise((resolve) => {
    const ca = server.pki.agentAuthority.certificate;
    const socket = tls.connect({ host, port: Number(port), ca, servername: 'attic', ALPNProtocols: ['h2'], maxVersion, ...identity });
    // In TLS 1.3 a client hears of its refusal only when it reads.
    socket.once('data', () => socket.end(() => resolve('answered')));
    socket.once('error', (error) => resolve((error as NodeJS.ErrnoException).code ?? error.message));
    socket.once('close', () => resolve('closed'));
  });
}

/** Calls any RPC with an empty request; resolves with the canonical code of its status. */
function callPath(rpc: string, client: Credentials): Promise<string> {
  const { pki, address } = server;
  const ssl = credentials.createSsl(Buffer.from(pki.agentAuthority.certificate), Buffer.from(client.key), Buffer.from(client.certificate));
  const channel = new DeviceServiceClient(address, ssl, channelOptions('attic'));
  return new Promise((resolve) => {
    const call = channel.makeServerStreamRequest(
      rpc,
      () => Buffer.alloc(0),
      (bytes) => bytes,
      {},
      new Metadata(),
      deadline(),
    );
    const end = (code: status) => {
      resolve(status[code]);
      call.cancel();
      channel.close();
    };
    call.on('data', () => end(status.OK));
    call.on('error', () => undefined);
    call.on('status', ({ code }) => end(code));
  });
}

describe('the door of the agent', () => {
  it('ends the handshake of a client that shows no certificate', async () => {
    expect(await shake()).toBe('ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED');
  });

  it('ends the handshake of a client whose certificate another authority signed', async () => {
    const other = await CertificateAuthority.create('somebody else');
    const client = await other.issue({ commonName: 'admin', organization: 'lamadist:admin', purpose: 'client' });
    expect(await shake(client)).toMatch(ENDED);
  });

  it('ends the handshake of a client whose certificate expired', async () => {
    expect(await shake(await server.pki.expiredClient('admin'))).toMatch(ENDED);
  });

  it("ends the handshake of a client that shows a server's certificate", async () => {
    const identity = { commonName: 'web', organization: 'lamadist:admin', purpose: 'server' } as const;
    expect(await shake(await server.pki.agentAuthority.issue(identity))).toMatch(ENDED);
  });

  it('speaks nothing older than TLS 1.3', async () => {
    expect(await shake(await server.pki.client('admin'), 'TLSv1.2')).toBe('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
  });

  it('answers a client whose certificate it knows', async () => {
    expect(await shake(await server.pki.client('reader'))).toBe('answered');
  });

  it('refuses a certificate that names no role', async () => {
    const nobody = await server.pki.agentAuthority.issue({ commonName: 'nobody', organization: 'Example', purpose: 'client' });
    expect(await callPath('/lamadist.agent.v1.DeviceService/GetDevice', nobody)).toBe('UNAUTHENTICATED');
  });

  it.each(ROLES)('lets a %s call exactly what the table of roles allows', async (role) => {
    const client = await server.pki.client(role);
    for (const rpc of Object.keys(LEAST_ROLE)) {
      const answer = await callPath(rpc, client);
      expect(answer === 'PERMISSION_DENIED', `${rpc} answered ${answer}`).toBe(!mayCall(role, rpc));
    }
  });

  it('refuses a revoked certificate as soon as the revocation list is in place, and ends its connections', async () => {
    const revoked = await server.pki.client('admin');
    const other = await server.pki.client('admin');
    expect(await callPath('/lamadist.agent.v1.DeviceService/GetDevice', revoked)).toBe('OK');
    const list = await server.pki.agentAuthority.revocationList([revoked.serialNumber]);
    await writeFile(path.join(server.folder, 'crl.tmp'), list);
    await rename(path.join(server.folder, 'crl.tmp'), path.join(server.folder, 'crl.pem'));
    await vi.waitUntil(async () => (await callPath('/lamadist.agent.v1.DeviceService/GetDevice', revoked)) === 'UNAVAILABLE', {
      interval: 200,
      timeout: 10_000,
    });
    expect(await callPath('/lamadist.agent.v1.DeviceService/GetDevice', other)).toBe('OK');
  });

  it('takes a new certificate of its own without a restart, and keeps the old one when the new one is broken', async () => {
    const serial = async () => {
      const [host = '', port = ''] = server.address.split(':');
      const { certificate: cert, key } = await server.pki.client('reader');
      const socket = tls.connect({
        host,
        port: Number(port),
        ca: server.pki.agentAuthority.certificate,
        servername: 'attic',
        ALPNProtocols: ['h2'],
        cert,
        key,
      });
      await new Promise((resolve) => socket.once('secureConnect', resolve));
      const { serialNumber } = socket.getPeerCertificate();
      socket.destroy();
      return serialNumber.toLowerCase();
    };
    await writeFile(path.join(server.folder, 'node.pem'), 'not a certificate');
    await vi.waitUntil(
      () => server.lines.some(({ msg }) => msg === 'The certificates that changed cannot be used; the ones before stay in force'),
      { timeout: 10_000 },
    );
    const before = await serial();
    const next = await server.pki.node('attic', '127.0.0.1');
    await writeFile(path.join(server.folder, 'node.key'), next.key);
    await writeFile(path.join(server.folder, 'node.pem'), next.certificate);
    await vi.waitUntil(async () => (await serial()) === next.serialNumber, { timeout: 10_000 });
    expect(before).not.toBe(next.serialNumber);
  });
});

describe('the audit log', () => {
  it('has a line for each call that changes the node, refused ones too, chained by hash', async () => {
    const { pki, address, auditLog } = server;
    const connect = async (role: 'operator' | 'reader') => {
      const { key, certificate } = await pki.client(role);
      const ssl = credentials.createSsl(Buffer.from(pki.agentAuthority.certificate), Buffer.from(key), Buffer.from(certificate));
      return new UpdateServiceClient(address, ssl, channelOptions('attic'));
    };
    const operator = await connect('operator');
    const reader = await connect('reader');
    const install = (client: typeof operator, source: object) =>
      new Promise<ServiceError | null>((resolve) =>
        client.installBundle({ source }, new Metadata(), deadline(), (error) => resolve(error)),
      );

    expect(await install(operator, { path: '/var/v2.raucb' })).toBeNull();
    expect(failureIn((await install(operator, { path: 'v2.raucb' }))!)).toMatchObject({ code: 'INVALID_REQUEST' });
    expect(failureIn((await install(reader, { path: '/var/v2.raucb' }))!)).toMatchObject({ code: 'PERMISSION_DENIED' });
    await new Promise((resolve) => operator.getUpdate({}, new Metadata(), deadline(), resolve));
    operator.close();
    reader.close();

    const log = await auditLog();
    const lines = log
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.map(({ caller, result }) => [caller, result])).toEqual([
      ['operator', 'OK'],
      ['operator', 'INVALID_REQUEST'],
      ['reader', 'PERMISSION_DENIED'],
    ]);
    expect(lines[0]).toMatchObject({
      request: { source: { path: '/var/v2.raucb' } },
      rpc: '/lamadist.agent.v1.UpdateService/InstallBundle',
    });
    expect(await firstBrokenLine(log)).toBeUndefined();
    expect(await firstBrokenLine(log.replace('INVALID_REQUEST', 'OK'))).toBe(3);
  });
});
