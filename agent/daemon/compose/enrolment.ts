// SPDX-License-Identifier: Apache-2.0
import { createHash, X509Certificate } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { keyFingerprint, shownFingerprint } from '../../shared/fingerprint.ts';
import { EnrolmentServiceDefinition } from '../../shared/gen/services.ts';
import { VERSION } from '../../shared/version.ts';
import type { AccessFiles } from '../access/access-files.ts';
import type { AuditLog } from '../access/audit-log.ts';
import { Claiming } from '../access/claim.ts';
import { nodeKey } from '../access/node-key.ts';
import { certificateRequest, selfSignedCertificate } from '../access/own-certificate.ts';
import type { Attester } from '../attestation/attester.ts';
import type { Config } from '../config.ts';
import { writeDurably } from '../files/durable-file.ts';
import { pinnedAuthorities } from '../platform/linux/pinned-authorities.ts';
import { admitStrangers } from '../rpc/admission.ts';
import { Connections } from '../rpc/connections.ts';
import { guard } from '../rpc/guard.ts';
import { RpcServer } from '../rpc/server.ts';
import { enrolmentService } from '../rpc/services/enrolment-service.ts';
import type { Folders } from './folders.ts';
import type { Neighbours } from './neighbours.ts';

export interface EnrolmentParts {
  readonly config: Config;
  readonly folders: Folders;
  readonly files: AccessFiles;
  readonly attester: Attester;
  readonly audit: AuditLog;
  readonly log: Logger;
}

/** Few are let in: an administrator, and whoever knocks meanwhile. */
const STRANGERS = { connections: 16, connectionsOfOwner: 4, calls: 16, callsOfOwner: 4 };

/** lamadist-fingerprint.service shows it on the console. */
const fingerprintFile = (folders: Folders): string => join(folders.runtime, 'fingerprint');

/** The gRPC edge of a node without an administrator, listening: enrolment, and nothing else. */
export async function openEnrolment({ config, folders, files, attester, audit, log }: EnrolmentParts, { host }: Pick<Neighbours, 'host'>) {
  const key = await nodeKey(config.tls.folder);
  const pinned = await pinnedAuthorities();
  const certificate = await selfSignedCertificate(key);
  const claimed = new AbortController();
  const implementation = enrolmentService({
    claiming: new Claiming(files, { key, pinned: new Set(pinned), nowMs: Date.now }),
    certificateRequest: () => certificateRequest(key),
    attester,
    certificateSha256: createHash('sha256').update(new X509Certificate(certificate).raw).digest(),
    hostname: host.hostname,
    imageVersion: host.imageVersion,
    agentVersion: VERSION,
    pinnedAuthorities: pinned,
    onClaimed: () => claimed.abort(),
  });
  const connections = new Connections(STRANGERS);
  const server = new RpcServer({
    services: [{ name: 'lamadist.agent.v1.EnrolmentService', definition: EnrolmentServiceDefinition, implementation }],
    guard: guard({ admit: admitStrangers(() => performance.now()), connections, audit, log }),
    guests: 'strangers',
    context: () => ({ cert: certificate, key: key.export({ type: 'pkcs8', format: 'pem' }) }),
    connections,
  });
  await server.listen(config.listen);
  const fingerprint = keyFingerprint(key);
  await writeDurably(fingerprintFile(folders), `${shownFingerprint(fingerprint)}\n`, 0o644);
  log.info(
    { fingerprint: shownFingerprint(fingerprint), pinned },
    'The node waits for an administrator: compare the fingerprint when you enrol it',
  );
  return { claimed: claimed.signal, close: () => server.close() };
}

/** There is nothing to compare any more. */
export async function hideFingerprint(folders: Folders): Promise<void> {
  await rm(fingerprintFile(folders), { force: true });
}
