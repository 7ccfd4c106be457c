// SPDX-License-Identifier: Apache-2.0

/** How many bytes the DER value at the start has, its header too: X.690, 8.1.3. All of them when it is none. */
export function derLength(bytes: Buffer): number {
  const first = bytes[1] ?? 0;
  if (first < 0x80) return Math.min(2 + first, bytes.length);
  const octets = first & 0x7f;
  if (octets === 0 || octets > 4 || bytes.length < 2 + octets) return bytes.length;
  return Math.min(2 + octets + bytes.readUIntBE(2, octets), bytes.length);
}
