// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { unreadable } from '../byte-reader.ts';
import { strongHash } from './algorithms.ts';
import type { PublicArea } from './public-area.ts';

/** TPM_RH_ENDORSEMENT: TPM 2.0 Part 2, 7.4. */
const ENDORSEMENT_HIERARCHY = 0x4000000b;

/** An object's Name, nameAlg ‖ H(TPMT_PUBLIC): Part 1, 16. */
export function nameOf(area: PublicArea): Buffer {
  return hashed(area.nameAlgorithm, [area.marshalled]);
}

/**
 * The qualified Name of an AK that is a child of an EK that is a primary key of the endorsement hierarchy:
 * QN(EK) = H(handle ‖ Name(EK)), QN(AK) = H(QN(EK) ‖ Name(AK)). Part 1, 16 ("Qualified Name").
 */
export function qualifiedName(ek: PublicArea, ak: PublicArea): Buffer {
  const hierarchy = Buffer.alloc(4);
  hierarchy.writeUInt32BE(ENDORSEMENT_HIERARCHY);
  const ofEk = hashed(ek.nameAlgorithm, [hierarchy, nameOf(ek)]);
  return hashed(ak.nameAlgorithm, [ofEk, nameOf(ak)]);
}

function hashed(algorithm: number, parts: readonly Buffer[]): Buffer {
  const hash = strongHash(algorithm);
  if (!hash)
    throw unreadable('the name of a key', `its hash algorithm 0x${algorithm.toString(16)} is none of SHA-256, SHA-384 and SHA-512`);
  const prefix = Buffer.alloc(2);
  prefix.writeUInt16BE(algorithm);
  const digest = createHash(hash);
  for (const part of parts) digest.update(part);
  return Buffer.concat([prefix, digest.digest()]);
}
