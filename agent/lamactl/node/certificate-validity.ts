// SPDX-License-Identifier: Apache-2.0
import { X509Certificate } from 'node:crypto';

/**
 * What the time makes of a certificate (PEM) whose holder nobody believes: "ended on …"; undefined while it is valid, and of who
 * shows none.
 */
export function whyInvalid(pem: Buffer, nowMs: number): string | undefined {
  if (pem.length === 0) return undefined;
  const { validFrom, validTo } = new X509Certificate(pem);
  if (nowMs > Date.parse(validTo)) return `ended on ${day(validTo)}`;
  return nowMs < Date.parse(validFrom) ? `begins on ${day(validFrom)}, by this machine's clock in the future` : undefined;
}

const day = (time: string): string => new Date(time).toISOString().slice(0, 10);
