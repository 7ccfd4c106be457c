// SPDX-License-Identifier: Apache-2.0
import { createHash, X509Certificate } from 'node:crypto';
import type { ClientReadableStream } from '@grpc/grpc-js';
import { Failure } from '../../../shared/failure.ts';
import { lamadist } from '../../../shared/gen/messages.js';
import { EVENT_LOG_LIMIT_BYTES } from '../../attest/event-log/event-log.ts';
import { IMA_LOG_LIMIT_BYTES } from '../../attest/ima-log.ts';
import { USERSPACE_LOG_LIMIT_BYTES } from '../../attest/userspace-log.ts';
import type { NodeQuote } from '../node.ts';

const { MeasurementLog } = lamadist.agent.v1;

type Message = lamadist.agent.v1.GetEvidenceResponse.$Properties;
type Log = keyof NodeQuote['logs'];

const LOGS: ReadonlyMap<number, Log> = new Map([
  [MeasurementLog.MEASUREMENT_LOG_FIRMWARE, 'firmware'],
  [MeasurementLog.MEASUREMENT_LOG_USERSPACE, 'userspace'],
  [MeasurementLog.MEASUREMENT_LOG_IMA, 'ima'],
]);
const LIMITS_BYTES: Readonly<Record<Log, number>> = {
  firmware: EVENT_LOG_LIMIT_BYTES,
  userspace: USERSPACE_LOG_LIMIT_BYTES,
  ima: IMA_LOG_LIMIT_BYTES,
};

/**
 * Takes a quote and its logs off a call, with the certificate of the node in this very session. Never keeps more than the logs
 * may have. Throws EVIDENCE_INVALID, NODE_UNTRUSTED, and what the stream fails with.
 */
export async function collectQuote(stream: ClientReadableStream<Message>, clientCertificate: Buffer): Promise<NodeQuote> {
  const chunks: Record<Log, Buffer[]> = { firmware: [], userspace: [], ima: [] };
  const sizesBytes: Record<Log, number> = { firmware: 0, userspace: 0, ima: 0 };
  let quote: lamadist.agent.v1.Quote.$Properties | undefined;
  let serverCertificateSha256: Buffer | undefined;
  for await (const message of stream as AsyncIterable<Message>) {
    serverCertificateSha256 ??= sha256(stream.getAuthContext()?.sslPeerCertificate?.raw);
    quote ??= message.quote ?? undefined;
    const log = LOGS.get(message.chunk?.log ?? 0);
    if (!log) continue;
    const data = bytes(message.chunk?.data);
    // A node that sends nothing for ever would fill memory by it.
    if (data.length === 0) throw invalid(`a piece of its ${log} log is empty`);
    sizesBytes[log] += data.length;
    if (sizesBytes[log] > LIMITS_BYTES[log]) throw invalid(`its ${log} log has more than ${LIMITS_BYTES[log]} bytes`);
    chunks[log].push(data);
  }
  if (!quote) throw invalid('it holds no quote');
  if (!serverCertificateSha256) throw new Failure('NODE_UNTRUSTED', 'Cannot tell whose quote it is: the node showed no certificate');
  return {
    attest: bytes(quote.attest),
    signature: bytes(quote.signature),
    pcrValues: (quote.pcrValues ?? []).map(bytes),
    logs: { firmware: Buffer.concat(chunks.firmware), userspace: Buffer.concat(chunks.userspace), ima: Buffer.concat(chunks.ima) },
    serverCertificateSha256,
    clientCertificateSha256: createHash('sha256').update(new X509Certificate(clientCertificate).raw).digest(),
  };
}

export function bytes(value: Uint8Array | null | undefined): Buffer {
  return Buffer.from(value ?? []);
}

function sha256(data: Buffer | undefined): Buffer | undefined {
  return data && createHash('sha256').update(data).digest();
}

function invalid(found: string): Failure {
  return new Failure('EVIDENCE_INVALID', `Cannot read the evidence: ${found}`);
}
