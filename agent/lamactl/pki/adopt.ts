// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../shared/failure.ts';
import { pemBlocks } from '../../shared/pem.ts';
import { keepAuthorities } from '../contexts/context-edit.ts';
import { contextIfThere } from '../contexts/context-file.ts';
import { readIdentity } from '../contexts/identity-files.ts';
import { readInput } from '../input-file.ts';
import { type ForeignAuthority, type ForeignList, readAuthority, readIssued, readKey, readList } from './foreign-authority.ts';
import { emptyList } from './issuing.ts';
import { authoritiesFile, keepTrust, type Office } from './office.ts';
import type { Issued, KeptAuthority, Registry } from './registry.ts';

/** The files of an authority that was made elsewhere. */
export interface Adoption {
  readonly certificate: string;
  /** A file, or the PKCS#11 URI of a token. */
  readonly key: { readonly file: string } | { readonly token: string };
  /** Its newest revocation list; without it nothing was revoked. */
  readonly list?: string;
  /** Certificates that it issued to others. */
  readonly issued: readonly string[];
}

const MAX_FILE_BYTES = 1 << 20;

/**
 * Makes an authority that was made elsewhere the context's own, and remembers what it issued. The context, where there is one, goes on
 * with the certificate that it has. Throws INVALID_REQUEST and CONFIG_INVALID, and leaves everything as it was then.
 */
export async function adopt(office: Office, adoption: Adoption): Promise<Registry> {
  const { registry: file, contextFile, context, world } = office;
  if (await file.readIfThere()) {
    throw new Failure(
      'INVALID_REQUEST',
      `Cannot import an authority: context "${context}" has one already; "lamactl pki rotate" replaces it`,
    );
  }
  const authority = readAuthority(await text(adoption.certificate), world.clock.now());
  const issued = await issuedBefore(office, authority, adoption.issued);
  const list = adoption.list === undefined ? undefined : await readList(await text(adoption.list), authority);
  const kept = await keep(office, authority, adoption.key, list);
  const registry: Registry = { schema: 1, signing: kept.id, authorities: [kept], issued: withRevoked(issued, kept.id, list) };
  await file.create(registry);
  await keepTrust(office);
  if (await contextIfThere(contextFile, context)) await keepAuthorities(contextFile, context, authoritiesFile(office));
  return registry;
}

async function keep(
  { keys, world }: Office,
  authority: ForeignAuthority,
  key: Adoption['key'],
  list: ForeignList | undefined,
): Promise<KeptAuthority> {
  const { id, name, certificate } = authority;
  const own = 'file' in key ? readKey(await text(key.file), authority) : undefined;
  const token = 'token' in key ? key.token : undefined;
  const { signer, place } = await keys.make(id, name, token, world.random, own);
  const kept = { id, name, certificate, key: place };
  if (list) return { ...kept, list: list.list, list_number: list.number };
  return { ...kept, list: await emptyList({ certificate, signer }, world), list_number: 1 };
}

/** The administrator's own certificate first, where the context has one. */
async function issuedBefore(
  { contextFile, context }: Office,
  authority: ForeignAuthority,
  files: readonly string[],
): Promise<readonly Issued[]> {
  const issued = new Map<string, Issued>();
  const take = (pem: string, file: string): void => {
    const record = readIssued(pem, file, authority);
    issued.set(record.serial_number, record);
  };
  const found = await contextIfThere(contextFile, context);
  if (found) take((await readIdentity(found)).certificate.toString(), found.certificate);
  for (const file of files) for (const pem of pemBlocks(await text(file), 'CERTIFICATE')) take(pem, file);
  return [...issued.values()];
}

/** What was revoked stays so in every list to come, also where nobody has the certificate any more. */
function withRevoked(issued: readonly Issued[], authority: number, list: ForeignList | undefined): Issued[] {
  const revoked = new Map(list?.revoked.map(({ serialNumber, at }) => [serialNumber, at]));
  const known = issued.map((each): Issued => {
    const revoked_at = revoked.get(each.serial_number);
    revoked.delete(each.serial_number);
    return { ...each, ...(revoked_at !== undefined && { revoked_at }) };
  });
  const unknown = [...revoked].map(([serial_number, revoked_at]): Issued => {
    return { serial_number, authority, name: serial_number, kind: 'client', certificate: '', not_after: revoked_at, revoked_at };
  });
  return [...known, ...unknown];
}

const text = async (file: string): Promise<string> => (await readInput(file, MAX_FILE_BYTES)).toString('utf8');
