// SPDX-License-Identifier: Apache-2.0
import { webcrypto } from 'node:crypto';

/** What makes and reads certificates. It takes 12 MB and a tenth of a second, so it is loaded where it is needed, when it is. */
export async function loadX509() {
  // The library asks for this to be there before it.
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  x509.cryptoProvider.set(webcrypto);
  return x509;
}

export type X509 = Awaited<ReturnType<typeof loadX509>>;

/** Who signs here: ECDSA on P-256 with SHA-256, as everything of LamaDist. */
export const SIGNING = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/** Extended key usages: RFC 5280, section 4.2.1.12. Code signing is what RAUC looks for in a signer of bundles. */
export const PURPOSES = {
  server: '1.3.6.1.5.5.7.3.1',
  client: '1.3.6.1.5.5.7.3.2',
  'code-signing': '1.3.6.1.5.5.7.3.3',
} as const;
