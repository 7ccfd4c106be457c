// SPDX-License-Identifier: Apache-2.0

/** The blocks of one kind in a PEM text (RFC 7468), each with its frame. */
export function pemBlocks(text: string, label: 'CERTIFICATE' | 'X509 CRL' | 'CERTIFICATE REQUEST'): readonly string[] {
  const blocks = text.match(new RegExp(`-----BEGIN ${label}-----[A-Za-z0-9+/=\\s]+-----END ${label}-----`, 'g'));
  return (blocks ?? []).map((block) => `${block}\n`);
}

/** One such block. */
export function pemOf(der: ArrayBuffer, label: string): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}
