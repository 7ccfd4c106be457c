// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import tls from 'node:tls';
import type { Logger } from 'pino';
import { Failure } from '../../shared/failure.ts';
import { pemBlocks } from '../../shared/pem.ts';
import { checkIdentity, type Identity } from '../../shared/tls.ts';

/** The node's identity on disk: ca.pem, node.pem, node.key, and the revocation list crl.pem where there is one. */
export interface NodeIdentity extends Identity {
  /** Each in PEM. TLS reads one of a text, whatever follows it. */
  readonly crl?: readonly string[];
  readonly notAfter: Date;
  /** SHA-256 of the certificate's DER form. */
  readonly certificateSha256: Buffer;
}

/** A writer renames its files one after the other; they are read once it has been quiet for this long. */
const SETTLE_MS = 500;

/** Throws CONFIG_INVALID. */
export async function readIdentity(folder: string): Promise<NodeIdentity> {
  const read = async (name: string): Promise<Buffer> => {
    try {
      return await readFile(join(folder, name));
    } catch (error) {
      throw new Failure('CONFIG_INVALID', `Cannot read ${join(folder, name)}: ${(error as Error).message}`, {}, { cause: error });
    }
  };
  // TLS is told of the authorities that the node knows of, and of no block that OpenSSL would take for one besides.
  const authorities = pemBlocks((await read('ca.pem')).toString('latin1'), 'CERTIFICATE');
  const identity = { ca: Buffer.from(authorities.join('')), certificate: await read('node.pem'), key: await read('node.key') };
  const certificate = checkIdentity(identity, 'this node');
  const crl = await readLists(join(folder, 'crl.pem'));
  const complete = { ...identity, ...(crl && { crl }) };
  try {
    tls.createSecureContext({ ca: complete.ca, cert: complete.certificate, key: complete.key, ...(crl && { crl: [...crl] }) });
  } catch (error) {
    throw new Failure('CONFIG_INVALID', `Cannot use the certificates in ${folder}: ${(error as Error).message}`, {}, { cause: error });
  }
  const certificateSha256 = createHash('sha256').update(certificate.raw).digest();
  return { ...complete, notAfter: new Date(certificate.validTo), certificateSha256 };
}

async function readLists(path: string): Promise<readonly string[] | undefined> {
  try {
    const text = await readFile(path, 'utf8');
    const lists = pemBlocks(text, 'X509 CRL');
    // What holds no list must not pass for no file.
    return lists.length === 0 ? [text] : lists;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new Failure('CONFIG_INVALID', `Cannot read ${path}: ${(error as Error).message}`, {}, { cause: error });
  }
}

/** What a change of identity means for connections that were made before it. */
export interface IdentityChange {
  /** Whether somebody may be refused now who was not before: an authority is gone, or a revocation list is another. */
  readonly narrower: boolean;
}

/**
 * Who the node is, and whose certificates it takes. The files are read again when they change, so that certificates rotate
 * and a revocation takes hold without a restart.
 */
export class NodeServerCredentials {
  #identity: NodeIdentity;
  readonly #stop: () => void;

  private constructor(
    private readonly folder: string,
    identity: NodeIdentity,
    private readonly log: Logger,
    private readonly onChange: (change: IdentityChange) => void,
  ) {
    this.#identity = identity;
    let timer: NodeJS.Timeout | undefined;
    const watcher = watch(folder, () => {
      clearTimeout(timer);
      timer = setTimeout(() => void this.#reload(), SETTLE_MS);
    });
    watcher.on('error', (error) => log.error({ err: error }, 'The folder of the certificates can no longer be watched'));
    this.#stop = () => {
      clearTimeout(timer);
      watcher.close();
    };
  }

  /** `onChange` is called after a new identity, CA or revocation list took hold. */
  static async read(folder: string, log: Logger, onChange: (change: IdentityChange) => void): Promise<NodeServerCredentials> {
    return new NodeServerCredentials(folder, await readIdentity(folder), log, onChange);
  }

  /** What TLS needs of the identity of now. */
  readonly context = (): tls.SecureContextOptions => {
    const { ca, certificate, key, crl } = this.#identity;
    return { ca, cert: certificate, key, ...(crl && { crl: [...crl] }) };
  };

  get identity(): Identity {
    return this.#identity;
  }

  get notAfter(): Date {
    return this.#identity.notAfter;
  }

  /** Of the certificate that this node shows. Connections that saw the one before are ended soon after a change. */
  get certificateSha256(): Buffer {
    return this.#identity.certificateSha256;
  }

  /** Puts the files of now in force at once. Throws CONFIG_INVALID; then the ones before stay in force. */
  async reload(): Promise<void> {
    const [before, next] = [this.#identity, await readIdentity(this.folder)];
    if (sameFiles(before, next)) return;
    this.#identity = next;
    this.log.info({ notAfter: next.notAfter }, 'The certificates were read again');
    this.onChange({ narrower: isNarrower(before, next) });
  }

  async #reload(): Promise<void> {
    try {
      await this.reload();
    } catch (error) {
      this.log.error({ err: error }, 'The certificates that changed cannot be used; the ones before stay in force');
    }
  }

  close(): void {
    this.#stop();
  }
}

function sameFiles(a: NodeIdentity, b: NodeIdentity): boolean {
  return a.ca.equals(b.ca) && a.certificate.equals(b.certificate) && a.key.equals(b.key) && listsOf(a) === listsOf(b);
}

/** Lists that come with authorities that come as well refuse nobody who was let in before. */
function isNarrower(before: NodeIdentity, next: NodeIdentity): boolean {
  const kept = (of: NodeIdentity) => new Set([...pemBlocks(of.ca.toString(), 'CERTIFICATE'), ...(of.crl ?? [])]);
  const now = kept(next);
  const gone = [...kept(before)].some((each) => !now.has(each));
  return gone || (before.crl === undefined && next.crl !== undefined);
}

const listsOf = ({ crl }: NodeIdentity): string => crl?.join('') ?? '';
