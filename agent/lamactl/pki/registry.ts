// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import * as v from 'valibot';
import { parseConfig } from '../../shared/config-file.ts';
import { Failure } from '../../shared/failure.ts';
import { lockFile } from '../file-lock.ts';
import type { Trust } from '../node/node-access.ts';
import { makeFolderOf, readIfThere, writeWhole } from '../whole-file.ts';

const Key = v.union([
  /** Encrypted, beside the registry. */
  v.strictObject({ file: v.string() }),
  /** In a token: a URI of RFC 7512. */
  v.strictObject({ pkcs11: v.string() }),
]);

const KeptAuthority = v.strictObject({
  /** Counted from 1. */
  id: v.number(),
  name: v.string(),
  certificate: v.string(),
  key: Key,
  /** The newest revocation list, and the number in it. */
  list: v.string(),
  list_number: v.number(),
  /** Since then no node trusts it. */
  retired_at: v.optional(v.string()),
});

const Issued = v.strictObject({
  /** Hexadecimal, lower-case. */
  serial_number: v.string(),
  /** The id of who issued it. */
  authority: v.number(),
  name: v.string(),
  kind: v.picklist(['client', 'node']),
  role: v.optional(v.string()),
  certificate: v.string(),
  not_after: v.string(),
  revoked_at: v.optional(v.string()),
});

const Registry = v.strictObject({
  schema: v.literal(1),
  /** The id of who signs what is issued now. */
  signing: v.number(),
  authorities: v.array(KeptAuthority),
  issued: v.array(Issued),
});

export type KeyPlace = v.InferOutput<typeof Key>;
export type KeptAuthority = v.InferOutput<typeof KeptAuthority>;
export type Issued = v.InferOutput<typeof Issued>;
export type Registry = v.InferOutput<typeof Registry>;

/** Whoever is asked for a passphrase meanwhile takes a while. */
const PATIENCE_MS = 120_000;

/** The authorities of one context, and all that they issued, in one file, which is written whole, by one lamactl at a time. */
export class RegistryFile {
  constructor(readonly folder: string) {}

  get path(): string {
    return join(this.folder, 'registry.json');
  }

  /** Undefined when there is none. Throws CONFIG_INVALID. */
  async readIfThere(): Promise<Registry | undefined> {
    const text = await readIfThere(this.path);
    return text === undefined ? undefined : parseConfig(Registry, text, this.path);
  }

  /** Throws CONFIG_INVALID. */
  async read(): Promise<Registry> {
    const registry = await this.readIfThere();
    if (registry) return registry;
    throw new Failure('CONFIG_INVALID', `Cannot find an authority: there is no ${this.path}; make one with "lamactl pki init"`, {
      file: this.path,
    });
  }

  /** Throws TRUST_CHANGED where there is one by now, and CONFIG_INVALID. */
  create(registry: Registry): Promise<void> {
    return this.#locked(async () => {
      if ((await this.readIfThere()) === undefined) return this.#write(registry);
      throw new Failure('TRUST_CHANGED', `Cannot write ${this.path}: another lamactl made it meanwhile`, { file: this.path });
    });
  }

  /** Puts in its place what is made of it, and keeps other lamactls waiting meanwhile. Throws CONFIG_INVALID, and what the change throws. */
  change<Result>(make: (registry: Registry) => Promise<{ readonly registry: Registry; readonly result: Result }>): Promise<Result> {
    return this.#locked(async () => {
      const { registry, result } = await make(await this.read());
      await this.#write(registry);
      return result;
    });
  }

  /** Works with what is there while nobody changes it. Throws CONFIG_INVALID, and what the work throws. */
  use<Result>(work: (registry: Registry) => Promise<Result>): Promise<Result> {
    return this.#locked(async () => work(await this.read()));
  }

  async #locked<Result>(work: () => Promise<Result>): Promise<Result> {
    await makeFolderOf(this.path);
    const unlock = await lockFile(this.path, PATIENCE_MS);
    try {
      return await work();
    } finally {
      await unlock();
    }
  }

  #write(registry: Registry): Promise<void> {
    return writeWhole(this.path, `${JSON.stringify(registry, null, 1)}\n`);
  }
}

/** The one that signs now. */
export function signingAuthority({ authorities, signing }: Registry): KeptAuthority {
  return authorityOf(authorities, signing);
}

export function authorityOf(authorities: readonly KeptAuthority[], id: number): KeptAuthority {
  const authority = authorities.find((each) => each.id === id);
  if (authority) return authority;
  throw new Failure('CONFIG_INVALID', `Cannot find authority ${id} in the registry`);
}

/** The authorities that are not retired. */
export function trusted(authorities: readonly KeptAuthority[]): readonly KeptAuthority[] {
  return authorities.filter(({ retired_at }) => retired_at === undefined);
}

/** What nodes are to trust: every authority that is not retired. */
export function trustOf(authorities: readonly KeptAuthority[]): Trust {
  const inForce = trusted(authorities);
  return {
    authorities: inForce.map(({ certificate }) => certificate).join(''),
    revocationLists: inForce.map(({ list }) => list).join(''),
  };
}

/** The same registry with another authority in the place of the one with its id. */
export function withAuthority(registry: Registry, authority: KeptAuthority): Registry {
  return { ...registry, authorities: registry.authorities.map((each) => (each.id === authority.id ? authority : each)) };
}
