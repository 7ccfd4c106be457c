// SPDX-License-Identifier: Apache-2.0
import { EventEmitter } from 'node:events';
import type { ServerWritableStream } from '@grpc/grpc-js';
import { expect, it } from 'vitest';
import { attestationService } from '../../../../../agent/daemon/rpc/services/attestation-service.ts';
import type { lamadist } from '../../../../../agent/shared/gen/messages.js';
import { failureIn } from '../../../../../agent/shared/status.ts';

type Call = ServerWritableStream<lamadist.agent.v1.GetEvidenceRequest, lamadist.agent.v1.GetEvidenceResponse>;
const EMPTY = Buffer.alloc(0);

/** A client with that certificate, which takes the first message and reads no more. */
function unread(certificate: string) {
  const call = new EventEmitter();
  const failed = new Promise((resolve) => call.on('error', (error) => resolve(failureIn(error)?.code)));
  const took = new Promise((resolve) => Object.assign(call, { write: () => resolve('evidence') }));
  return Object.assign(call, {
    request: { bank: 1, nonce: Buffer.alloc(32) },
    getPeer: () => '192.0.2.1:49152',
    getAuthContext: () => ({ sslPeerCertificate: { raw: Buffer.from(certificate) } }),
    end: () => {},
    answer: Promise.race([failed, took]),
  });
}

it('keeps the evidence of two calls of one client, however many it does not read, and has room for others', async () => {
  const evidence = { quote: { attest: EMPTY, signature: EMPTY, pcrValues: [] }, logs: { firmware: EMPTY, userspace: EMPTY, ima: EMPTY } };
  const refuse = () => Promise.reject(new Error('not asked'));
  const { getEvidence } = attestationService({
    attester: { identity: refuse, activate: refuse, evidence: async () => evidence },
    serverCertificateSha256: () => EMPTY,
  });
  const ask = (certificate: string) => {
    const call = unread(certificate);
    getEvidence(call as unknown as Call);
    return call;
  };
  const greedy = [ask('one'), ask('one'), ask('one')];
  expect(await Promise.all(greedy.map(({ answer }) => answer))).toEqual(['evidence', 'evidence', 'TPM_BUSY']);
  expect(await ask('another').answer).toBe('evidence');
  greedy[0]?.emit('cancelled');
  await new Promise(setImmediate);
  expect(await ask('one').answer).toBe('evidence');
});
