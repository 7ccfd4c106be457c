// SPDX-License-Identifier: Apache-2.0
import type { X509Certificate } from 'node:crypto';
import { pemBlocks } from '../../shared/pem.ts';
import { loadX509 } from '../../shared/x509.ts';

/** Those of the certificates that a revocation list (PEM; whatever else is beside the lists) of their issuers names. */
export async function revokedAmong(certificates: readonly X509Certificate[], lists: string): Promise<readonly X509Certificate[]> {
  const texts = pemBlocks(lists, 'X509 CRL');
  if (texts.length === 0) return [];
  const x509 = await loadX509();
  const read = texts.map((text) => new x509.X509Crl(text));
  return certificates.filter(({ raw }) => {
    const certificate = new x509.X509Certificate(raw);
    return read.some((list) => list.issuer === certificate.issuer && list.findRevoked(certificate) !== null);
  });
}
