// SPDX-License-Identifier: Apache-2.0
import type { X509Certificate } from 'node:crypto';
import tls from 'node:tls';
import { Failure } from '../../shared/failure.ts';

/** What answers at an address, before anybody says that it is whom one looks for. */
export interface Stranger {
  readonly address: string;
  readonly certificate: X509Certificate;
}

/**
 * Looks at the certificate of whatever answers at an address (`host:port`), and believes nothing of it. Throws NODE_UNREACHABLE,
 * NODE_UNTRUSTED or DEADLINE_EXCEEDED.
 */
export function meetStranger(address: string, timeoutMs: number, signal?: AbortSignal): Promise<Stranger> {
  const { hostname, port } = new URL(`https://${address}`);
  const host = hostname.replace(/^\[|\]$/g, '');
  return new Promise((resolve, reject) => {
    const socket = tls.connect({
      host,
      port: Number(port || 443),
      minVersion: 'TLSv1.3',
      ALPNProtocols: ['h2'],
      rejectUnauthorized: false,
    });
    const end = (settle: () => void) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      socket.destroy();
      settle();
    };
    const fail = (failure: Failure) => end(() => reject(failure));
    const timer = setTimeout(
      () => fail(new Failure('DEADLINE_EXCEEDED', `Cannot talk to ${address}: it did not answer in time`, { address })),
      timeoutMs,
    );
    const abort = () => fail(new Failure('NODE_UNREACHABLE', `Cannot reach ${address}: nobody waits for it any more`, { address }));
    signal?.addEventListener('abort', abort);
    socket.on('error', (error: NodeJS.ErrnoException) => fail(failureOf(error, address)));
    // A server that wants a certificate of us tells so only after this, and its own was seen by then.
    socket.on('secureConnect', () => {
      const certificate = socket.getPeerX509Certificate();
      if (certificate) end(() => resolve({ address, certificate }));
      else fail(new Failure('NODE_UNTRUSTED', `Cannot talk to ${address}: it shows no certificate`, { address }));
    });
    if (signal?.aborted) abort();
  });
}

function failureOf(error: NodeJS.ErrnoException, address: string): Failure {
  const options = { cause: error };
  if (error.syscall !== undefined)
    return new Failure('NODE_UNREACHABLE', `Cannot reach ${address}: ${error.code ?? error.message}`, { address }, options);
  return new Failure('NODE_UNTRUSTED', `Cannot talk to ${address}: it does not speak TLS 1.3`, { address }, options);
}
