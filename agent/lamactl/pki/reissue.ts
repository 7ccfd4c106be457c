// SPDX-License-Identifier: Apache-2.0
import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { Failure } from '../../shared/failure.ts';
import { readContext } from '../contexts/context-file.ts';
import { readIdentity } from '../contexts/identity-files.ts';
import { type Answer, ask } from '../fleet/ask.ts';
import { writeWhole } from '../whole-file.ts';
import { everyNode } from './fleet-trust.ts';
import { issueRecorded } from './issue-recorded.ts';
import { isIssuedBy, type Role } from './issuing.ts';
import type { Office } from './office.ts';
import { authorityOf, type Issued, type Registry } from './registry.ts';

/** The administrator's own certificate by the new authority, put in place once every node has accepted it. */
export async function renewOwn(office: Office, to: number, timeoutMs: number): Promise<readonly Answer<unknown>[]> {
  const { contextFile, context, registry: file, world } = office;
  const found = await readContext(contextFile, context);
  const identity = await readIdentity(found);
  const registry = await file.read();
  const authority = authorityOf(registry.authorities, to);
  if (isIssuedBy(identity.certificate.toString(), authority)) return [];
  const { role, name } = recordOf(registry, identity.certificate, found.certificate);
  const key = new X509Certificate(identity.certificate).publicKey;
  const { certificate } = await issueRecorded(office, { kind: 'client', name, role: role as Role }, key, to);
  const renewed = { ...identity, certificate: Buffer.from(certificate) };
  const targets = (await everyNode(office)).map((target) => ({ ...target, identity: renewed }));
  const answers = await ask(targets, world.connect, { timeoutMs }, (node) => node.trust());
  if (answers.every(({ ok }) => ok)) await writeWhole(found.certificate, certificate);
  return answers;
}

function recordOf({ issued }: Registry, certificate: Buffer, path: string): Issued {
  const serial = new X509Certificate(certificate).serialNumber.toLowerCase();
  const record = issued.find(({ serial_number }) => serial_number === serial);
  if (record) return record;
  throw new Failure('CONFIG_INVALID', `Cannot renew ${path}: the registry does not know its serial number ${serial}`, { file: path });
}

/** The other clients' certificates by the new authority, for the keys that they have. Returns their files. */
export async function reissueClients(office: Office, from: number, to: number): Promise<readonly string[]> {
  const { registry: file, folder, contextFile, context, world } = office;
  const own = keyIn((await readIdentity(await readContext(contextFile, context))).certificate.toString());
  const { issued } = await file.read();
  const files: string[] = [];
  for (const each of issued.filter((one) => one.authority === from && isLiveClient(one, world.clock.now()))) {
    const key = keyIn(each.certificate);
    if (key === own) continue;
    const subject = { kind: 'client', name: each.name, role: each.role as Role } as const;
    const isRenewed = (one: Issued) => one.authority === to && one.role === each.role && keyIn(one.certificate) === key;
    const renewed = issued.find(isRenewed) ?? (await issueRecorded(office, subject, new X509Certificate(each.certificate).publicKey, to));
    // One name may have several certificates.
    const path = join(folder, 'handed-over', `${each.name}-${renewed.serial_number}.pem`);
    await writeWhole(path, renewed.certificate);
    files.push(path);
  }
  return files;
}

function isLiveClient({ kind, revoked_at, not_after }: Issued, nowMs: number): boolean {
  return kind === 'client' && revoked_at === undefined && Date.parse(not_after) > nowMs;
}

function keyIn(certificate: string): string {
  return new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'pem' }).toString();
}
