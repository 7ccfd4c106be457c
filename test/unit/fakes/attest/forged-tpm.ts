// SPDX-License-Identifier: Apache-2.0
// What somebody with keys of their own, and no TPM, can put together: every structure at will.
import { createHash, createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
import type { Challenge } from '../../../../agent/lamactl/attest/challenge.ts';
import type { Evidence } from '../../../../agent/lamactl/attest/evidence.ts';
import type { Policy } from '../../../../agent/lamactl/attest/policy.ts';
import { nameOf, qualifiedName } from '../../../../agent/lamactl/attest/tpm/name.ts';
import { OBJECT, readPublic } from '../../../../agent/lamactl/attest/tpm/public-area.ts';
import type { Question } from '../../../../agent/lamactl/attest/verify.ts';
import { qualifyingData } from '../../../../agent/shared/qualifying-data.ts';
import {
  type Boot,
  GOOD_BOOT,
  hashed,
  pcrValues,
  writeEventLog,
  writeImaLog,
  writeUserspaceLog,
} from '../../../../qemu/measured-boot/measured-boot.ts';

const u16 = (value: number) => Buffer.of(value >> 8, value & 0xff);
const u32 = (value: number) => Buffer.concat([u16(value >>> 16), u16(value & 0xffff)]);
const sized = (bytes: Buffer) => Buffer.concat([u16(bytes.length), bytes]);

const GOOD_AK = OBJECT.fixedTpm | OBJECT.fixedParent | OBJECT.sensitiveDataOrigin | OBJECT.restricted | OBJECT.sign;
const GOOD_EK = OBJECT.fixedTpm | OBJECT.fixedParent | OBJECT.sensitiveDataOrigin | OBJECT.restricted | OBJECT.decrypt;

export interface ForgedKey {
  /** TPM2B_PUBLIC. */
  readonly area: Buffer;
  sign(message: Buffer): Buffer;
}

/** A key made in software that says it has these attributes. */
export function forgeKey(kind: 'ak' | 'ek', attributes = kind === 'ak' ? GOOD_AK : GOOD_EK): ForgedKey {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { x = '', y = '' } = privateKey.export({ format: 'jwk' });
  const symmetric = kind === 'ek' ? [u16(0x0006), u16(128), u16(0x0043)] : [u16(0x0010)];
  const scheme = kind === 'ak' ? [u16(0x0018), u16(0x000b)] : [u16(0x0010)];
  const point = [x, y].map((coordinate) => sized(Buffer.from(coordinate, 'base64url')));
  const head = [u16(0x0023), u16(0x000b), u32(attributes), sized(Buffer.alloc(0))];
  const area = sized(Buffer.concat([...head, ...symmetric, ...scheme, u16(0x0003), u16(0x0010), ...point]));
  const key = createPrivateKey({ key: privateKey.export({ format: 'pem', type: 'pkcs8' }) });
  return {
    area,
    sign: (message) => {
      const rs = sign('sha256', message, { key, dsaEncoding: 'ieee-p1363' });
      return Buffer.concat([u16(0x0018), u16(0x000b), sized(rs.subarray(0, 32)), sized(rs.subarray(32))]);
    },
  };
}

interface Words {
  readonly magic: number;
  readonly type: number;
  readonly qualifiedSigner: Buffer;
  readonly extraData: Buffer;
  readonly clock: bigint;
  readonly resetCount: number;
  readonly restartCount: number;
  readonly firmwareVersion: bigint;
  readonly selections: readonly { readonly algorithm: number; readonly bitmap: Buffer }[];
  readonly digest: Buffer;
}

/** TPMS_ATTEST of a quote. */
function writeAttest(words: Words): Buffer {
  const numbers = Buffer.alloc(25);
  numbers.writeBigUInt64BE(words.clock, 0);
  numbers.writeUInt32BE(words.resetCount, 8);
  numbers.writeUInt32BE(words.restartCount, 12);
  numbers.writeUInt8(1, 16);
  numbers.writeBigUInt64BE(words.firmwareVersion, 17);
  const selections = words.selections.map(({ algorithm, bitmap }) => Buffer.concat([u16(algorithm), Buffer.of(bitmap.length), bitmap]));
  const signer = [u32(words.magic), u16(words.type), sized(words.qualifiedSigner), sized(words.extraData)];
  return Buffer.concat([...signer, numbers, u32(selections.length), ...selections, sized(words.digest)]);
}

const EK = forgeKey('ek');
const AK = forgeKey('ak');

export const CHALLENGE: Challenge = {
  nonce: hashed('sha256', 'nonce'),
  serverCertificateSha256: hashed('sha256', 'server'),
  clientCertificateSha256: hashed('sha256', 'client'),
  bank: 'sha256',
};

export interface Forgery {
  readonly boot?: Boot;
  readonly locality?: number;
  readonly ak?: ForgedKey;
  readonly words?: Partial<Words>;
  readonly evidence?: Partial<Evidence>;
  readonly policy?: Partial<Policy>;
}

/** A policy that expects exactly these values of these keys. */
export function policyFor(ekPublic: Buffer, akPublic: Buffer, values: Readonly<Record<string, Buffer>>): Policy {
  const pinned = ['0', '2', '4', '7', '11'].map((pcr) => [
    pcr,
    { values: [values[pcr]?.toString('hex') ?? ''], from: 'operator' as const },
  ]);
  return {
    ek_name: nameOf(readPublic(ekPublic, 'EK')).toString('hex'),
    ak_name: nameOf(readPublic(akPublic, 'AK')).toString('hex'),
    ek_trust: 'operator',
    pcr_bank: 'sha256',
    pcrs: Object.fromEntries(pinned),
    unpinned_pcrs: [],
    unlogged_pcrs: [],
    secure_boot: 'required',
  };
}

/**
 * Evidence that holds in everything but what is changed, for a policy that believes in the forged keys: what is wrong with it
 * is the change alone, wherever in it that is.
 */
export function forge(forgery: Forgery = {}, challenge = CHALLENGE): Question {
  const { boot = GOOD_BOOT, locality = 0, ak = AK, words = {}, evidence = {}, policy = {} } = forgery;
  const values = pcrValues(boot, locality);
  const quoted: Words = {
    magic: 0xff544347,
    type: 0x8018,
    qualifiedSigner: qualifiedName(readPublic(EK.area, 'EK'), readPublic(ak.area, 'AK')),
    extraData: qualifyingData(challenge),
    clock: 1_000_000n,
    resetCount: 7,
    restartCount: 1,
    firmwareVersion: 0x2024_0101_0000_0001n,
    selections: [{ algorithm: 0x000b, bitmap: Buffer.of(0xff, 0xff, 0) }],
    digest: createHash('sha256')
      .update(Buffer.concat(Object.values(values)))
      .digest(),
    ...words,
  };
  const attest = writeAttest(quoted);
  return {
    challenge,
    policy: { ...policyFor(EK.area, ak.area, values), ...policy },
    evidence: {
      nonce: challenge.nonce,
      server_certificate_sha256: challenge.serverCertificateSha256,
      client_certificate_sha256: challenge.clientCertificateSha256,
      ek_certificate: Buffer.alloc(0),
      ek_public: EK.area,
      ak_public: ak.area,
      attest,
      signature: ak.sign(attest),
      pcr_bank: 'sha256',
      pcr_values: values,
      event_log: writeEventLog(boot.events),
      userspace_log: writeUserspaceLog(boot.phases),
      ima_log: writeImaLog(boot.files),
      time: '2026-11-20T12:00:00Z',
      ...evidence,
    },
  };
}
