// SPDX-License-Identifier: Apache-2.0
import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { AccessFiles } from '../../../../agent/daemon/access/access-files.ts';
import { authorityCertificate, issueCertificate, revocationList } from '../../../../agent/lamactl/pki/certificates.ts';
import { memorySigner } from '../../../../agent/lamactl/pki/memory-signer.ts';
import { newSerialNumber } from '../../../../agent/lamactl/pki/serial-number.ts';
import { temporaryFolder } from '../../fakes/folder.ts';

export const NOW_MS = Date.parse('2026-11-21T12:00:00Z');
const DAY_MS = 86_400_000;
export const VALID = { notBefore: new Date(NOW_MS - DAY_MS), notAfter: new Date(NOW_MS + 365 * DAY_MS) };

const newKey = (): KeyObject => generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey;

/** An authority whose certificates and lists are of the time of the tests. */
export async function authorityNamed(name: string) {
  const signer = memorySigner(newKey());
  const authority = { signer, certificate: await authorityCertificate(signer, name, VALID, newSerialNumber(randomBytes)) };
  const issue = (commonName: string, purpose: 'server' | 'client', key = newKey(), validity = VALID) => {
    const serialNumber = newSerialNumber(randomBytes);
    return issueCertificate(authority, memorySigner(key).publicKey, { commonName, purpose, validity, serialNumber });
  };
  return {
    certificate: authority.certificate,
    issue,
    list: (serialNumbers: readonly string[] = [], validity = VALID) =>
      revocationList(authority, {
        number: 1,
        revoked: serialNumbers.map((serialNumber) => ({ serialNumber, at: validity.notBefore })),
        validity,
      }),
  };
}

/** The files of a node, and its key. */
export async function accessNode() {
  const folder = await temporaryFolder();
  return { folder, files: new AccessFiles(folder), key: newKey() };
}
