// SPDX-License-Identifier: Apache-2.0
import { dirname, join } from 'node:path';
import * as v from 'valibot';
import { Failure } from '../../shared/failure.ts';
import { NodeName } from '../../shared/labels.ts';
import { chosenContext, contextFilePath } from '../contexts/context-file.ts';
import { writeWhole } from '../whole-file.ts';
import type { World } from '../world.ts';
import { AuthorityKeys } from './authority-key.ts';
import { RegistryFile, trustOf } from './registry.ts';
import { secretsFrom } from './secrets.ts';

/** Where one context's authorities are kept and used: the folder pki/<context> beside the context file. */
export interface Office {
  readonly context: string;
  readonly contextFile: string;
  readonly folder: string;
  readonly registry: RegistryFile;
  readonly keys: AuthorityKeys;
  readonly world: World;
}

export interface OfficeOptions {
  /** --context, where it was given. */
  readonly context?: string | undefined;
  readonly passphraseFile?: string | undefined;
}

/** The name of a context that is made where there is none. */
const FIRST_CONTEXT = 'home';

/** Reads no key and no registry yet. Throws INVALID_REQUEST, and CONFIG_INVALID when the context file cannot be read. */
export async function openOffice({ context, passphraseFile }: OfficeOptions, world: World): Promise<Office> {
  const contextFile = contextFilePath(world.env, world.homeDirectory);
  if (context !== undefined && !v.is(NodeName, context)) {
    throw new Failure('INVALID_REQUEST', `Cannot use the context "${context}": a name has letters, digits, ".", "_" and "-"`);
  }
  const name = context ?? (await chosenContext(contextFile)) ?? FIRST_CONTEXT;
  const folder = join(dirname(contextFile), 'pki', name);
  const keys = new AuthorityKeys(folder, secretsFrom(passphraseFile, world));
  return { context: name, contextFile, folder, registry: new RegistryFile(folder), keys, world };
}

/** The authorities (PEM) whose certificates lamactl takes for nodes', and their revocation lists: the file that the context names. */
export const authoritiesFile = ({ folder }: Pick<Office, 'folder'>): string => join(folder, 'ca.pem');

/** Has lamactl trust and refuse what nodes are to trust and refuse, as the registry has it now. Throws CONFIG_INVALID. */
export function keepTrust(office: Pick<Office, 'folder' | 'registry'>): Promise<void> {
  return office.registry.use(async (registry) => {
    const trust = trustOf(registry.authorities);
    await writeWhole(authoritiesFile(office), trust.authorities + trust.revocationLists);
  });
}

/** Where the administrator's own certificate and key are. */
export function ownFiles({ folder }: Pick<Office, 'folder'>, name: string) {
  return { certificate: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
}
