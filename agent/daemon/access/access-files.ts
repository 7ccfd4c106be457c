// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { Failure } from '../../shared/failure.ts';
import { Labels } from '../../shared/labels.ts';
import { writeDurably } from '../files/durable-file.ts';
import type { Trust } from './authorities.ts';

/** What an administrator gives a node to make it theirs. */
export interface Claim {
  /** PEM. */
  readonly certificate: string;
  readonly trust: Trust;
  readonly labels: Labels;
}

/**
 * The folder of the node's certificates. One file after the other is written, each whole; the order makes every moment at which
 * the power may be cut one in which the node works.
 */
export class AccessFiles {
  constructor(private readonly folder: string) {}

  /**
   * A node whose authorities are written down has an administrator; until then it has none, whatever else is there. A file that lost
   * its content had one: anybody could claim the node otherwise. Throws CONFIG_INVALID.
   */
  async isClaimed(): Promise<boolean> {
    const file = join(this.folder, 'ca.pem');
    const found = await stat(file).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw new Failure('CONFIG_INVALID', `Cannot read ${file}: ${error.message}`, {}, { cause: error });
    });
    if (found?.size === 0)
      throw new Failure('CONFIG_INVALID', `Cannot use ${file}: it is empty; put it back, or take it away to begin anew`);
    return found !== undefined;
  }

  async trust(): Promise<Trust> {
    return { authorities: await this.#read('ca.pem'), revocationLists: await this.#read('crl.pem') };
  }

  async labels(): Promise<Labels> {
    const text = await this.#read('labels.json');
    return text === '' ? {} : v.parse(Labels, JSON.parse(text));
  }

  async writeClaim({ certificate, trust, labels }: Claim): Promise<void> {
    await this.writeLabels(labels);
    await this.#writeLists(trust.revocationLists);
    await this.#write('node.pem', certificate);
    // The last: with it the node is claimed.
    await this.#write('ca.pem', trust.authorities);
  }

  async writeLabels(labels: Labels): Promise<void> {
    await this.#write('labels.json', `${JSON.stringify(labels)}\n`);
  }

  /** The lists before the authorities that need them, and authorities that go before their lists. */
  async writeTrust({ authorities, revocationLists }: Trust, fewer: boolean): Promise<void> {
    const writes = [() => this.#writeLists(revocationLists), () => this.#write('ca.pem', authorities)];
    for (const write of fewer ? writes.reverse() : writes) await write();
  }

  async writeCertificate(certificate: string): Promise<void> {
    await this.#write('node.pem', certificate);
  }

  /** A file without a list would refuse everybody. */
  async #writeLists(lists: string): Promise<void> {
    if (lists === '') await rm(join(this.folder, 'crl.pem'), { force: true });
    else await this.#write('crl.pem', lists);
  }

  /** Empty when there is none. What cannot be read is no sign that nothing is there. */
  async #read(name: string): Promise<string> {
    try {
      return await readFile(join(this.folder, name), 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
      throw new Failure('CONFIG_INVALID', `Cannot read ${join(this.folder, name)}: ${(error as Error).message}`, {}, { cause: error });
    }
  }

  async #write(name: string, content: string): Promise<void> {
    try {
      await writeDurably(join(this.folder, name), content);
    } catch (error) {
      const message = `Cannot write ${join(this.folder, name)}: ${(error as Error).message}`;
      throw new Failure('JOURNAL_UNWRITABLE', message, {}, { cause: error });
    }
  }
}

/** Changes with what it says, and with nothing else. */
export function trustVersion({ authorities, revocationLists }: Trust): string {
  return createHash('sha256').update(authorities).update('\0').update(revocationLists).digest('hex').slice(0, 16);
}
