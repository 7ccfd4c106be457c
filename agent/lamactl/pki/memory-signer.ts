// SPDX-License-Identifier: Apache-2.0
import { createPublicKey, type KeyObject, sign } from 'node:crypto';
import type { Signer } from './certificates.ts';

/** Signs with a private key that this process holds. */
export function memorySigner(key: KeyObject): Signer {
  return {
    publicKey: createPublicKey(key),
    sign: async (data) => sign('sha256', data, { key, dsaEncoding: 'ieee-p1363' }),
  };
}
