// SPDX-License-Identifier: Apache-2.0
import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { Failure } from '../../shared/failure.ts';
import { readContext } from '../contexts/context-file.ts';
import { readIdentity } from '../contexts/identity-files.ts';
import { type Answer, ask } from '../fleet/ask.ts';
import { writeWhole } from '../whole-file.ts';
import { isLive, keyOf } from './certificates-of.ts';
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
  const { certificate } = await renewedOf(office, recordOf(registry, identity.certificate, found.certificate), to);
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
  const own = keyOf({ certificate: (await readIdentity(await readContext(contextFile, context))).certificate.toString() });
  const { issued } = await file.read();
  const files: string[] = [];
  for (const each of issued) {
    if (each.kind !== 'client' || each.authority !== from || !isLive(each, world.clock.now()) || keyOf(each) === own) continue;
    const renewed = await renewedOf(office, each, to);
    // One name may have several certificates.
    const path = join(folder, 'handed-over', `${each.name}-${renewed.serial_number}.pem`);
    await writeWhole(path, renewed.certificate);
    files.push(path);
  }
  return files;
}

/** The same certificate by the new authority: the one that an earlier run issued, or else another. */
async function renewedOf(office: Office, { name, role, certificate }: Issued, to: number): Promise<Issued> {
  const { issued } = await office.registry.read();
  const nowMs = office.world.clock.now();
  const isRenewed = (each: Issued) => each.authority === to && each.name === name && each.role === role && isLive(each, nowMs);
  const before = issued.find((each) => isRenewed(each) && keyOf(each) === keyOf({ certificate }));
  const key = new X509Certificate(certificate).publicKey;
  return before ?? issueRecorded(office, { kind: 'client', name, role: role as Role }, key, to);
}
