// SPDX-License-Identifier: Apache-2.0

/** A new serial number in hexadecimal: positive and of 16 octets, of which RFC 5280 allows 20. */
export function newSerialNumber(random: (sizeBytes: number) => Buffer): string {
  const octets = random(16);
  octets[0] = (octets[0]! & 0x7f) | 0x40;
  return octets.toString('hex');
}
