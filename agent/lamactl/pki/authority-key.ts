// SPDX-License-Identifier: Apache-2.0
import { createPublicKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { Failure } from '../../shared/failure.ts';
import { readIfThere, writeWhole } from '../whole-file.ts';
import type { World } from '../world.ts';
import type { Authority, Signer } from './certificates.ts';
import { decryptKey, encryptKey } from './encrypted-key.ts';
import { memorySigner } from './memory-signer.ts';
import { openToken } from './pkcs11.ts';
import type { KeptAuthority, KeyPlace } from './registry.ts';

/** Asks for the passphrase of a key, or the PIN of a token; `isNew` asks twice. */
export type AskSecret = (whose: string, isNew: boolean) => Promise<string>;

/** Opens the keys of one context's authorities, each once. */
export class AuthorityKeys {
  readonly #open = new Map<number, Signer>();

  constructor(
    private readonly folder: string,
    private readonly askSecret: AskSecret,
  ) {}

  /** Throws CONFIG_INVALID, and what asking fails with. */
  async open(kept: KeptAuthority): Promise<Authority> {
    const signer = this.#open.get(kept.id) ?? (await this.#signer(kept));
    this.#open.set(kept.id, signer);
    return { certificate: kept.certificate, signer };
  }

  /** Makes the key of a new authority, or takes the one that is in a token, or that is given. */
  async make(
    id: number,
    name: string,
    token: string | undefined,
    random: World['random'],
    given?: KeyObject,
  ): Promise<{ signer: Signer; place: KeyPlace }> {
    if (token !== undefined) {
      const signer = await openToken(token, await this.askSecret(`the token of "${name}"`, false));
      this.#open.set(id, signer);
      return { signer, place: { pkcs11: token } };
    }
    const privateKey = given ?? generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey;
    const place = { file: `authority-${id}.key` };
    await writeWhole(join(this.folder, place.file), await encryptKey(privateKey, await this.askSecret(`"${name}"`, true), random));
    const signer = memorySigner(privateKey);
    this.#open.set(id, signer);
    return { signer, place };
  }

  async #signer({ name, key, certificate }: KeptAuthority): Promise<Signer> {
    const signer =
      'pkcs11' in key
        ? await openToken(key.pkcs11, await this.askSecret(`the token of "${name}"`, false))
        : await this.#fromFile(name, key.file);
    const own = createPublicKey(new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'pem' }));
    if (signer.publicKey.equals(own)) return signer;
    throw new Failure('CONFIG_INVALID', `Cannot sign as "${name}": the key is another's`);
  }

  async #fromFile(name: string, file: string): Promise<Signer> {
    const path = join(this.folder, file);
    const text = await readIfThere(path);
    if (text === undefined) throw new Failure('CONFIG_INVALID', `Cannot sign as "${name}": there is no ${path}`, { file: path });
    return memorySigner(decryptKey(text, await this.askSecret(`"${name}"`, false), path));
  }
}
