// SPDX-License-Identifier: Apache-2.0
// The verifier against a real TPM: swtpm, spoken to by tpm2-tools.
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Challenge, QUOTED_PCRS } from '../../../../agent/lamactl/attest/challenge.ts';
import { type Activation, beginEnrolment, endEnrolment } from '../../../../agent/lamactl/attest/enrolment.ts';
import { type Evidence, readEvidence, writeEvidence } from '../../../../agent/lamactl/attest/evidence.ts';
import { makeCredential } from '../../../../agent/lamactl/attest/tpm/make-credential.ts';
import { nameOf } from '../../../../agent/lamactl/attest/tpm/name.ts';
import { readPublic } from '../../../../agent/lamactl/attest/tpm/public-area.ts';
import type { Rejection } from '../../../../agent/lamactl/attest/verdict.ts';
import { verify } from '../../../../agent/lamactl/attest/verify.ts';
import { qualifyingData } from '../../../../agent/shared/qualifying-data.ts';
import {
  DRIVER_CONFIG,
  extensions,
  GOOD_BOOT,
  GOOD_EVENTS,
  pcrValues,
  secureBootVariable,
  startupLocality,
  writeEventLog,
  writeImaLog,
  writeUserspaceLog,
} from '../../../../qemu/measured-boot/measured-boot.ts';
import { forgeKey, policyFor } from '../../../unit/fakes/attest/forged-tpm.ts';
import { SoftwareTpm } from '../../fakes/software-tpm.ts';
import type { Algorithm, Quote } from '../../fakes/tpm-user.ts';

const QUOTED = `sha256:${QUOTED_PCRS.join(',')}`;
const CLAIMED = { ekCertificate: Buffer.alloc(0) };
const NO_ISSUERS = { roots: [], intermediates: [] };

const challenge = (): Challenge => ({
  nonce: randomBytes(32),
  serverCertificateSha256: randomBytes(32),
  clientCertificateSha256: randomBytes(32),
  bank: 'sha256',
});

/** What a node's firmware, systemd and kernel do while it boots. */
async function bootOn(tpm: SoftwareTpm): Promise<void> {
  const sha1 = extensions(GOOD_BOOT, 'sha1');
  await tpm.extend(
    extensions(GOOD_BOOT, 'sha256').map(([pcr, digest], index) => {
      const [, weak = Buffer.alloc(20)] = sha1[index] ?? [];
      return `${pcr}:sha1=${weak.toString('hex')},sha256=${digest.toString('hex')}`;
    }),
  );
}

interface Keys {
  readonly ek: Buffer;
  readonly ak: Buffer;
}

async function evidenceOf(tpm: SoftwareTpm, { ek, ak }: Keys, asked: Challenge, quote?: Quote): Promise<Evidence> {
  const { attest, signature } = quote ?? (await tpm.quote(QUOTED, qualifyingData(asked)));
  return {
    nonce: asked.nonce,
    server_certificate_sha256: asked.serverCertificateSha256,
    client_certificate_sha256: asked.clientCertificateSha256,
    ek_certificate: Buffer.alloc(0),
    ek_public: ek,
    ak_public: ak,
    attest,
    signature,
    pcr_bank: 'sha256',
    pcr_values: await tpm.pcrs('sha256', QUOTED_PCRS),
    event_log: writeEventLog(GOOD_EVENTS),
    userspace_log: writeUserspaceLog(GOOD_BOOT.phases),
    ima_log: writeImaLog(GOOD_BOOT.files),
    time: new Date().toISOString(),
  };
}

function begin({ ek, ak }: Keys): Activation {
  const begun = beginEnrolment({ ...CLAIMED, ekPublic: ek, akPublic: ak }, NO_ISSUERS, Date.now(), randomBytes);
  if ('reason' in begun) throw new Error(begun.found);
  return begun;
}

async function keysOf(tpm: SoftwareTpm, algorithm: Algorithm): Promise<Keys> {
  return { ek: await tpm.createEk(algorithm), ak: await tpm.createAk(algorithm) };
}

describe.each(['ecc', 'rsa'] as const)('a TPM with %s keys', { timeout: 120_000 }, (algorithm) => {
  let tpm: SoftwareTpm;
  let keys: Keys;

  beforeAll(async () => {
    tpm = await SoftwareTpm.start();
    await bootOn(tpm);
    keys = await keysOf(tpm, algorithm);
  });
  afterAll(() => tpm.end());

  it('names its AK as the verifier does', async () => {
    expect(nameOf(readPublic(keys.ak, 'AK')).equals(await tpm.file('ak.name'))).toBe(true);
  });

  it('opens a credential that was made without a TPM', async () => {
    const begun = begin(keys);
    expect(endEnrolment(begun, await tpm.activate(begun.credential))).toBeUndefined();
  });

  it('is trusted, through a file and back', async () => {
    const asked = challenge();
    const evidence = await evidenceOf(tpm, keys, asked);
    expect(evidence.pcr_values).toEqual(pcrValues(GOOD_BOOT));
    const policy = policyFor(keys.ek, keys.ak, evidence.pcr_values);
    expect(verify({ evidence, challenge: asked, policy })).toEqual({ verdict: 'TRUSTED' });
    const read = readEvidence(Buffer.from(writeEvidence(evidence)));
    expect(verify({ evidence: read, challenge: asked, policy })).toEqual({ verdict: 'TRUSTED' });
  });

  it('does not open a credential for a software AK (CVE-2021-3406)', async () => {
    const begun = begin({ ek: keys.ek, ak: forgeKey('ak').area });
    await expect(tpm.activate(begun.credential)).rejects.toThrow();
  });

  it('does not open a credential for another EK', async () => {
    const begun = begin({ ek: forgeKey('ek').area, ak: keys.ak });
    await expect(tpm.activate(begun.credential)).rejects.toThrow();
  });
});

describe('against a real TPM', { timeout: 120_000 }, () => {
  let tpm: SoftwareTpm;
  let keys: Keys;

  beforeAll(async () => {
    tpm = await SoftwareTpm.start();
    await bootOn(tpm);
    keys = await keysOf(tpm, 'ecc');
  });
  afterAll(() => tpm.end());

  const expected = () => pcrValues(GOOD_BOOT);
  const judge = (evidence: Evidence, asked: Challenge, of = keys) =>
    verify({ evidence, challenge: asked, policy: policyFor(of.ek, of.ak, expected()) });
  const rejected = (reason: Rejection['reason']) => ({ verdict: 'REJECTED', reason });

  it('a node that guesses is not enrolled', () => {
    expect(endEnrolment(begin(keys), randomBytes(32))).toMatchObject({ reason: 'not-activated' });
  });

  it('a key that signs anything is not enrolled', async () => {
    const attributes = 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign';
    await tpm.tool('createprimary', '-C', 'o', '-G', 'ecc256:ecdsa-sha256:null', '-c', '@free.ctx', '-a', attributes);
    await tpm.tool('readpublic', '-c', '@free.ctx', '-f', 'tss', '-o', '@free.pub');
    await tpm.flush();
    const claimed = { ...CLAIMED, ekPublic: keys.ek, akPublic: await tpm.file('free.pub') };
    expect(beginEnrolment(claimed, NO_ISSUERS, Date.now(), randomBytes)).toMatchObject({ reason: 'ak-not-restricted' });
  });

  it('a signing key does not pass for an EK', () => {
    const claimed = { ...CLAIMED, ekPublic: keys.ak, akPublic: keys.ak };
    expect(beginEnrolment(claimed, NO_ISSUERS, Date.now(), randomBytes)).toMatchObject({ reason: 'ek-not-restricted' });
  });

  it('a TPM without a certificate does not pass where roots are given', () => {
    const der = Buffer.from('');
    const claimed = { ekCertificate: der, ekPublic: keys.ek, akPublic: keys.ak };
    const root = { roots: [{} as never], intermediates: [] };
    expect(beginEnrolment(claimed, root, Date.now(), randomBytes)).toMatchObject({ reason: 'ek-untrusted' });
  });

  it('a quote by a key of another hierarchy is rejected', async () => {
    const asked = challenge();
    const ak = await tpm.createOwnersKey('owners');
    const quote = await tpm.quote(QUOTED, qualifyingData(asked), 'owners');
    const others = { ek: keys.ek, ak };
    expect(judge(await evidenceOf(tpm, others, asked, quote), asked, others)).toMatchObject(rejected('qualified-signer'));
  });

  it('a quote by another AK of the same EK is rejected', async () => {
    const asked = challenge();
    const ak = await tpm.createAk('ecc', 'second');
    const quote = await tpm.quote(QUOTED, qualifyingData(asked), 'second');
    expect(judge(await evidenceOf(tpm, { ek: keys.ek, ak }, asked, quote), asked)).toMatchObject(rejected('ak-changed'));
  });

  it('something signed that is no quote is rejected', async () => {
    const asked = challenge();
    const signed = await tpm.signedTime(qualifyingData(asked));
    expect(judge(await evidenceOf(tpm, keys, asked, signed), asked)).toMatchObject(rejected('type'));
  });

  it('words that the AK signed, and that a TPM never said, are rejected (CVE-2024-29038)', async () => {
    const asked = challenge();
    const { attest } = await tpm.quote(QUOTED, qualifyingData(asked));
    // As restricted keys sign it: anything but what begins with TPM_GENERATED_VALUE.
    const claimed = await tpm.sign(Buffer.concat([Buffer.from([0xff, 0x54, 0x43, 0x48]), attest.subarray(4)]));
    expect(judge(await evidenceOf(tpm, keys, asked, claimed), asked)).toMatchObject(rejected('magic'));
    await expect(tpm.sign(attest)).rejects.toThrow();
  });

  it('a replay of old evidence is rejected', async () => {
    expect(judge(await evidenceOf(tpm, keys, challenge()), challenge())).toMatchObject(rejected('nonce'));
  });

  it('an old quote under a new nonce is rejected', async () => {
    const asked = challenge();
    const quote = await tpm.quote(QUOTED, qualifyingData(challenge()));
    expect(judge(await evidenceOf(tpm, keys, asked, quote), asked)).toMatchObject(rejected('extra-data'));
  });

  it('evidence relayed from another TLS session is rejected', async () => {
    const asked = challenge();
    const relayed = { ...asked, serverCertificateSha256: randomBytes(32) };
    const evidence = await evidenceOf(tpm, keys, relayed);
    expect(judge(evidence, asked)).toMatchObject(rejected('session'));
    const disguised = { ...evidence, server_certificate_sha256: asked.serverCertificateSha256 };
    expect(judge(disguised, asked)).toMatchObject(rejected('extra-data'));
  });

  it('PCR 23, which anybody can reset and extend, does not pass for PCR 15 (CVE-2024-29039)', async () => {
    const asked = challenge();
    await tpm.tool('pcrreset', '23');
    const others = extensions(GOOD_BOOT, 'sha256').filter(([pcr]) => pcr === 15);
    await tpm.extend(others.map(([, digest]) => `23:sha256=${digest.toString('hex')}`));
    const aliased = QUOTED.replace(/15$/, '23');
    const quote = await tpm.quote(aliased, qualifyingData(asked));
    expect(judge(await evidenceOf(tpm, keys, asked, quote), asked)).toMatchObject(rejected('selection'));
  });

  it('values that the quote leaves out are rejected (CVE-2022-0317)', async () => {
    const asked = challenge();
    const quote = await tpm.quote('sha256:0,1,2,3', qualifyingData(asked));
    expect(judge(await evidenceOf(tpm, keys, asked, quote), asked)).toMatchObject(rejected('selection'));
    const whole = await evidenceOf(tpm, keys, asked);
    const more = { ...whole, pcr_values: { ...whole.pcr_values, ...(await tpm.pcrs('sha256', [16])) } };
    expect(judge(more, asked)).toMatchObject(rejected('unquoted-pcr'));
  });

  it('a quote of the SHA-1 bank is rejected', async () => {
    const asked = challenge();
    const quote = await tpm.quote(QUOTED.replace('sha256', 'sha1'), qualifyingData(asked));
    const evidence = { ...(await evidenceOf(tpm, keys, asked, quote)), pcr_bank: 'sha1' as const };
    const values = await tpm.pcrs('sha1', QUOTED_PCRS);
    expect(judge({ ...evidence, pcr_values: values }, asked)).toMatchObject(rejected('sha1-only'));
  });

  it('a log that is prettier than the boot is rejected', async () => {
    const asked = challenge();
    const evidence = await evidenceOf(tpm, keys, asked);
    const events = GOOD_EVENTS.map((each) => (each.type === DRIVER_CONFIG ? { ...each, data: secureBootVariable(0) } : each));
    expect(judge({ ...evidence, event_log: writeEventLog(events) }, asked)).toMatchObject(rejected('uncovered-data'));
    const located = writeEventLog([startupLocality(0, 3), ...GOOD_EVENTS]);
    expect(judge({ ...evidence, event_log: located }, asked)).toMatchObject(rejected('log-mismatch'));
  });

  it('a TPM whose counters went back is rejected', async () => {
    const asked = challenge();
    const evidence = await evidenceOf(tpm, keys, asked);
    const policy = { ...policyFor(keys.ek, keys.ak, expected()), last: { clock: '0', reset_count: 0xffffffff, restart_count: 0 } };
    expect(verify({ evidence, challenge: asked, policy })).toMatchObject(rejected('clock'));
  });

  it('a credential is bound to the AK by its name alone', async () => {
    const ek = readPublic(keys.ek, 'EK');
    const other = nameOf(readPublic(await tpm.createAk('ecc', 'third'), 'AK'));
    await expect(tpm.activate(makeCredential(ek, other, randomBytes(32), randomBytes))).rejects.toThrow();
  });
});

describe('a TPM whose firmware left the bank alone (CVE-2021-42299)', { timeout: 120_000 }, () => {
  it('is rejected, whatever its log says', async () => {
    const tpm = await SoftwareTpm.start();
    try {
      const keys = await keysOf(tpm, 'ecc');
      const asked = challenge();
      const evidence = await evidenceOf(tpm, keys, asked);
      const policy = policyFor(keys.ek, keys.ak, pcrValues(GOOD_BOOT));
      for (const event_log of [writeEventLog(GOOD_EVENTS), writeEventLog([])]) {
        const verdict = verify({ evidence: { ...evidence, event_log }, challenge: asked, policy });
        expect(verdict).toMatchObject({ verdict: 'REJECTED', reason: 'unextended-bank' });
      }
    } finally {
      await tpm.end();
    }
  });
});
