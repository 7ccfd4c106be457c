// SPDX-License-Identifier: Apache-2.0
import { createPrivateKey, X509Certificate } from 'node:crypto';
import tls from 'node:tls';
import type { ChannelOptions } from '@grpc/grpc-js';
import { Failure } from './failure.ts';
import { pemBlocks } from './pem.ts';

/**
 * PEM texts of one end of a connection: whom it trusts, who it is, and the key to its certificate. Beside the authorities there may be the
 * revocation list of each: then what is on them is refused.
 */
export interface Identity {
  readonly ca: Buffer;
  readonly certificate: Buffer;
  readonly key: Buffer;
}

export const DEFAULT_PORT = 7443;

/** More than the largest answer (a page of updates, each with a boot log), less than what could hurt a small node. */
export const MAX_MESSAGE_BYTES = 16 << 20;

/**
 * grpc-js has no option for the protocol's version, so the process' own default is raised; whoever must speak an
 * older TLS (a health check of a web server) says so itself.
 */
export function requireTls13(): void {
  tls.DEFAULT_MIN_VERSION = 'TLSv1.3';
}

/**
 * Checks that an identity is whole: P-256 (RFC 5480), and a key that belongs to its certificate. Throws CONFIG_INVALID that names the
 * file, where they are given.
 */
export function checkIdentity(identity: Identity, name: string, files: Partial<Record<keyof Identity, string>> = {}): X509Certificate {
  const named = (what: string, file: string | undefined) => [`${what} of ${name}`, ...(file === undefined ? [] : [file])].join(', ');
  const certificateName = named('the certificate', files.certificate);
  const certificate = parse(() => new X509Certificate(identity.certificate), certificateName);
  const keyName = named('the private key', files.key);
  // RFC 5958, and what OpenSSL wrote before it (RFC 1421).
  if (/BEGIN ENCRYPTED|Proc-Type: 4,ENCRYPTED/.test(identity.key.toString('latin1'))) {
    throw new Failure('CONFIG_INVALID', `Cannot read ${keyName}: it is locked with a passphrase; give one that is not`);
  }
  const key = parse(() => createPrivateKey(identity.key), keyName);
  parse(() => new X509Certificate(identity.ca), named('the CA certificate', files.ca));
  if (certificate.publicKey.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    throw new Failure('CONFIG_INVALID', `Cannot use ${certificateName}: its key is not ECDSA P-256`);
  }
  if (!certificate.checkPrivateKey(key)) {
    throw new Failure('CONFIG_INVALID', `Cannot use ${certificateName}: the private key is another certificate's`);
  }
  return certificate;
}

function parse<T>(read: () => T, what: string): T {
  try {
    return read();
  } catch (error) {
    throw new Failure('CONFIG_INVALID', `Cannot read ${what}: it is not valid PEM`, {}, { cause: error });
  }
}

/** Of one end that asks others; the revocation lists (PEM) may lie beside the authorities, too. */
export type ClientIdentity = Identity & { readonly crl?: readonly string[] };

/** What every connection of a client starts from; to be made once, for making it costs as much as a handshake. */
export function clientContext({
  ca,
  certificate: cert,
  key,
  crl = pemBlocks(ca.toString('latin1'), 'X509 CRL'),
}: ClientIdentity): tls.SecureContext {
  requireTls13();
  return tls.createSecureContext({ ca, cert, key, ...(crl.length > 0 && { crl: [...crl] }) });
}

/** Options of a channel to a node whose certificate names it `tlsName`, whatever its address is. */
export function channelOptions(tlsName: string): ChannelOptions {
  return {
    'grpc.ssl_target_name_override': tlsName,
    'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
    // Each node has a channel of its own; the global pool would only keep dead ones alive.
    'grpc.use_local_subchannel_pool': 1,
    'grpc.enable_http_proxy': 0,
    'grpc.keepalive_time_ms': 10_000,
    'grpc.keepalive_timeout_ms': 5_000,
  };
}
