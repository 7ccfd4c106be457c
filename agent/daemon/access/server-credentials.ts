// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import tls from 'node:tls';
import type { Logger } from 'pino';
import { Failure } from '../../shared/failure.ts';
import { checkIdentity, type Identity } from '../../shared/tls.ts';

/** The node's identity on disk: ca.pem, node.pem, node.key, and the revocation list crl.pem where there is one. */
export interface NodeIdentity extends Identity {
  readonly crl?: Buffer;
  readonly notAfter: Date;
  /** SHA-256 of the certificate's DER form. */
  readonly certificateSha256: Buffer;
}

/** A writer renames its files one after the other; they are read once it has been quiet for this long. */
const SETTLE_MS = 500;

async function readIdentity(folder: string): Promise<NodeIdentity> {
  const read = async (name: string): Promise<Buffer> => {
    try {
      return await readFile(join(folder, name));
    } catch (error) {
      throw new Failure('CONFIG_INVALID', `Cannot read ${join(folder, name)}: ${(error as Error).message}`, {}, { cause: error });
    }
  };
  const identity = { ca: await read('ca.pem'), certificate: await read('node.pem'), key: await read('node.key') };
  const certificate = checkIdentity(identity, 'this node');
  const crl = await readFile(join(folder, 'crl.pem')).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new Failure('CONFIG_INVALID', `Cannot read ${join(folder, 'crl.pem')}: ${error.message}`, {}, { cause: error });
  });
  const complete = { ...identity, ...(crl && { crl }) };
  try {
    tls.createSecureContext({ ca: complete.ca, cert: complete.certificate, key: complete.key, ...(crl && { crl }) });
  } catch (error) {
    throw new Failure('CONFIG_INVALID', `Cannot use the certificates in ${folder}: ${(error as Error).message}`, {}, { cause: error });
  }
  const certificateSha256 = createHash('sha256').update(certificate.raw).digest();
  return { ...complete, notAfter: new Date(certificate.validTo), certificateSha256 };
}

/**
 * Who the node is, and whose certificates it takes. The files are read again when they change, so that certificates rotate
 * and a revocation takes hold without a restart.
 */
export class NodeServerCredentials {
  #identity: NodeIdentity;
  readonly #stop: () => void;

  private constructor(folder: string, identity: NodeIdentity, log: Logger, onChange: () => void) {
    this.#identity = identity;
    let timer: NodeJS.Timeout | undefined;
    const watcher = watch(folder, () => {
      clearTimeout(timer);
      timer = setTimeout(() => void this.#reload(folder, log, onChange), SETTLE_MS);
    });
    watcher.on('error', (error) => log.error({ err: error }, 'The folder of the certificates can no longer be watched'));
    this.#stop = () => {
      clearTimeout(timer);
      watcher.close();
    };
  }

  /** `onChange` is called after a new identity, CA or revocation list took hold: connections made before it should end. */
  static async read(folder: string, log: Logger, onChange: () => void): Promise<NodeServerCredentials> {
    return new NodeServerCredentials(folder, await readIdentity(folder), log, onChange);
  }

  /** What TLS needs of the identity of now. */
  readonly context = (): tls.SecureContextOptions => {
    const { ca, certificate, key, crl } = this.#identity;
    return { ca, cert: certificate, key, ...(crl && { crl }) };
  };

  get notAfter(): Date {
    return this.#identity.notAfter;
  }

  /** Of the certificate that this node shows. Connections that saw the one before are ended soon after a change. */
  get certificateSha256(): Buffer {
    return this.#identity.certificateSha256;
  }

  async #reload(folder: string, log: Logger, onChange: () => void): Promise<void> {
    try {
      this.#identity = await readIdentity(folder);
      log.info({ notAfter: this.#identity.notAfter }, 'The certificates were read again');
      onChange();
    } catch (error) {
      log.error({ err: error }, 'The certificates that changed cannot be used; the ones before stay in force');
    }
  }

  close(): void {
    this.#stop();
  }
}
