// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { type RequestOptions, request as requestHttps } from 'node:https';
import { readBounded } from '../../files/bounded-file.ts';
import type { Probes } from '../../health/probe.ts';
import { errorReason } from './error-reason.ts';
import { ignoreLateErrors } from './late-errors.ts';

const LARGEST_CA_FILE_BYTES = 1024 * 1024;

/** One GET, of which only the status counts: a redirect is not followed and the body is not read. */
export const httpProbe: Probes['http'] = async ({ url, status, caFile }, signal) => {
  // A query may hold a token, and details travel.
  const shown = url.replace(/[?#].*/, '');
  try {
    const answered = await getStatus(url, caFile === undefined ? undefined : await readCaFile(caFile), signal);
    const holds = status ? status.includes(answered) : answered >= 200 && answered <= 299;
    return { holds, detail: `${shown} answers ${answered}${holds ? '' : `, not ${status?.join(' or ') ?? '2xx'}`}` };
  } catch (error) {
    signal.throwIfAborted();
    return { holds: false, detail: `no answer from ${shown}: ${errorReason(error)}` };
  }
};

async function getStatus(url: string, ca: Buffer | undefined, signal: AbortSignal): Promise<number> {
  signal.throwIfAborted();
  const options: RequestOptions = {
    agent: false,
    headers: { 'user-agent': 'lamadist-agent', connection: 'close' },
    maxHeaderSize: 16 * 1024,
    // The daemon itself speaks 1.3 only; what it checks may not.
    minVersion: 'TLSv1.2',
    ca,
  };
  const request = ignoreLateErrors((url.startsWith('https:') ? requestHttps : requestHttp)(url, options));
  try {
    request.end();
    const [response] = (await once(request, 'response', { signal })) as [IncomingMessage];
    return response.statusCode ?? 0;
  } finally {
    request.destroy();
  }
}

async function readCaFile(caFile: string): Promise<Buffer> {
  try {
    return await readBounded(caFile, LARGEST_CA_FILE_BYTES);
  } catch (error) {
    throw new Error(`the CA file ${caFile} cannot be read: ${errorReason(error)}`, { cause: error });
  }
}
