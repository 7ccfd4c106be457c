// SPDX-License-Identifier: Apache-2.0
import { isIPv4 } from 'node:net';
import { Failure } from '../../shared/failure.ts';
import { DEFAULT_PORT } from '../../shared/tls.ts';

/** A home has no more; and whoever asks so many looks like an attacker elsewhere. */
const SMALLEST_PREFIX = 20;

/** The addresses (`host:port`) of a range such as 10.0.0.0/24, without those of the network and of everybody. Throws INVALID_REQUEST. */
export function addressesIn(range: string, port = DEFAULT_PORT): readonly string[] {
  const [address = '', length = '', more] = range.split('/');
  const prefix = Number(length);
  if (more !== undefined || !isIPv4(address) || !/^\d{1,2}$/.test(length) || prefix > 32) {
    throw new Failure('INVALID_REQUEST', `Cannot search "${range}": say a range of IPv4 addresses such as 10.0.0.0/24`, { field: 'range' });
  }
  if (prefix < SMALLEST_PREFIX) {
    throw new Failure(
      'INVALID_REQUEST',
      `Cannot search ${range}: it has ${2 ** (32 - prefix)} addresses, and ${2 ** (32 - SMALLEST_PREFIX)} are the most`,
      { field: 'range' },
    );
  }
  const size = 2 ** (32 - prefix);
  const first = Math.floor(numberOf(address) / size) * size;
  // A network of one or two addresses has no others (RFC 3021).
  const [skip, count] = size > 2 ? [1, size - 2] : [0, size];
  return Array.from({ length: count }, (_, index) => `${addressOf(first + skip + index)}:${port}`);
}

function numberOf(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

function addressOf(number: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');
}
