// SPDX-License-Identifier: Apache-2.0
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { Server, ServerCredentials, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from 'vitest';
import { selfSignedCertificate } from '../../../../agent/daemon/access/own-certificate.ts';
import { connectUnclaimed } from '../../../../agent/lamactl/node/unclaimed-node.ts';
import { Failure, type FailureCode } from '../../../../agent/shared/failure.ts';
import { EnrolmentServiceDefinition } from '../../../../agent/shared/gen/services.ts';
import { toStatus } from '../../../../agent/shared/status.ts';

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.forceShutdown();
});

/** Opens a node without an administrator that does with claims what it is told. */
async function unclaimed(claimNode: UntypedServiceImplementation['claimNode'], timeoutMs = 5_000) {
  const key = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey;
  const certificate = await selfSignedCertificate(key);
  const server = new Server();
  servers.push(server);
  server.addService(EnrolmentServiceDefinition, { claimNode } as UntypedServiceImplementation);
  const keyPair = { cert_chain: Buffer.from(certificate), private_key: Buffer.from(key.export({ type: 'pkcs8', format: 'pem' })) };
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createSsl(null, [keyPair]), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return connectUnclaimed({ address: `127.0.0.1:${port}`, certificate: new X509Certificate(certificate) }, { timeoutMs });
}

const CLAIM = { certificate: '', trust: { authorities: '', revocationLists: '' }, labels: {} };

describe('a node without an administrator, which sees no certificate of lamactl', () => {
  it.each<FailureCode>(['TOO_MANY_CALLS', 'CLAIM_REFUSED', 'ALREADY_CLAIMED', 'INVALID_REQUEST', 'JOURNAL_UNWRITABLE', 'TPM_MISSING'])(
    'tells why it refuses: %s',
    async (code) => {
      const failure = new Failure(code, 'Cannot claim this node: it does not want to');
      const node = await unclaimed((_call: unknown, answer: (error: object) => void) => answer(toStatus(failure)));
      await expect(node.claim(CLAIM)).rejects.toMatchObject({ code, message: failure.message });
      node.close();
    },
  );

  it('is given up when it does not answer in time', async () => {
    const node = await unclaimed(() => {}, 200);
    await expect(node.claim(CLAIM)).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    node.close();
  });

  it('is not reached any more once it is gone', async () => {
    const node = await unclaimed(() => {});
    const failed = expect(node.claim(CLAIM)).rejects.toMatchObject({ code: 'NODE_UNREACHABLE' });
    setTimeout(() => servers[0]?.forceShutdown(), 200);
    await failed;
    node.close();
  });
});
