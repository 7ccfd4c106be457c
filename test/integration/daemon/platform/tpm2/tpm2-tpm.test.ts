// SPDX-License-Identifier: Apache-2.0
// The node's side of attestation with a real swtpm, judged by lamactl's verifier.
import { randomBytes } from 'node:crypto';
import { appendFile, open, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Attester } from '../../../../../agent/daemon/attestation/attester.ts';
import { readMeasurementLogs } from '../../../../../agent/daemon/platform/tpm2/measurement-logs.ts';
import { Tpm2Tools } from '../../../../../agent/daemon/platform/tpm2/tpm2-tools.ts';
import { Tpm2Tpm } from '../../../../../agent/daemon/platform/tpm2/tpm2-tpm.ts';
import { systemClock } from '../../../../../agent/daemon/timing/clock.ts';
import type { Challenge } from '../../../../../agent/lamactl/attest/challenge.ts';
import { beginEnrolment, endEnrolment } from '../../../../../agent/lamactl/attest/enrolment.ts';
import { verify } from '../../../../../agent/lamactl/attest/verify.ts';
import { Failure } from '../../../../../agent/shared/failure.ts';
import {
  extensions,
  GOOD_BOOT,
  GOOD_EVENTS,
  pcrValues,
  writeEventLog,
  writeImaLog,
  writeUserspaceLog,
} from '../../../../../qemu/measured-boot/measured-boot.ts';
import { forgeKey, policyFor } from '../../../../unit/fakes/attest/forged-tpm.ts';
import { temporaryFolder } from '../../../../unit/fakes/folder.ts';
import { SoftwareTpm } from '../../../fakes/software-tpm.ts';

const NEVER = new AbortController().signal;
const ASKING = { asker: 'an administrator', signal: NEVER };
const NOBODY = { roots: [], intermediates: [] };

const session = (): Challenge => ({
  nonce: randomBytes(32),
  serverCertificateSha256: randomBytes(32),
  clientCertificateSha256: randomBytes(32),
  bank: 'sha256',
});

/** swtpm serves one tool at a time, so that nothing can move while it quotes: this says what the tool says where it could. */
class ToolsOfAMovingPcr extends Tpm2Tools {
  constructor(
    tcti: string,
    private times: number,
  ) {
    super(tcti);
  }

  override async run(...[name, ...rest]: Parameters<Tpm2Tools['run']>): Promise<void> {
    await super.run(name, ...rest);
    if (name === 'quote' && this.times-- > 0)
      throw new Failure('TPM_UNAVAILABLE', 'Cannot run tpm2_quote: Error validating calculated PCR composite with quote');
  }
}

describe('the TPM of a node', { timeout: 120_000 }, () => {
  let software: SoftwareTpm;
  let folder: string;

  beforeEach(async () => {
    software = await SoftwareTpm.start();
    folder = await temporaryFolder();
    await software.extend(extensions(GOOD_BOOT, 'sha256').map(([pcr, digest]) => `${pcr}:sha256=${digest.toString('hex')}`));
    await writeFile(join(folder, 'firmware'), writeEventLog(GOOD_EVENTS));
    await writeFile(join(folder, 'userspace'), writeUserspaceLog(GOOD_BOOT.phases));
    await writeFile(join(folder, 'ima'), writeImaLog(GOOD_BOOT.files));
  });
  afterEach(() => software.end());

  const tpm = () => new Tpm2Tpm(new Tpm2Tools(software.tcti), folder, join(folder, 'ak-name'));
  const logs = async () => {
    const opened = await Promise.all(['firmware', 'userspace', 'ima'].map((log) => open(join(folder, log))));
    const [firmware, userspace, ima] = opened.map(({ fd }) => fd);
    const read = await readMeasurementLogs({ firmware, userspace, ima });
    for (const file of opened) await file.close();
    return read;
  };
  const attester = () => new Attester(tpm(), logs, systemClock);

  it('is enrolled and then trusted, by an agent that was started anew', async () => {
    const identity = await attester().identity(ASKING);
    const activation = beginEnrolment(identity, NOBODY, Date.now(), randomBytes);
    if ('reason' in activation) throw new Error(activation.found);
    const again = attester();
    expect(endEnrolment(activation, await again.activate(activation.credential, ASKING))).toBeUndefined();
    expect(await again.identity(ASKING)).toEqual(identity);

    const challenge = session();
    const { quote, logs: read } = await again.evidence('sha256', challenge, ASKING);
    const verdict = verify({
      challenge,
      policy: policyFor(identity.ekPublic, identity.akPublic, pcrValues(GOOD_BOOT)),
      evidence: {
        nonce: challenge.nonce,
        server_certificate_sha256: challenge.serverCertificateSha256,
        client_certificate_sha256: challenge.clientCertificateSha256,
        ek_certificate: identity.ekCertificate,
        ek_public: identity.ekPublic,
        ak_public: identity.akPublic,
        attest: quote.attest,
        signature: quote.signature,
        pcr_bank: 'sha256',
        pcr_values: Object.fromEntries(quote.pcrValues.map((value, pcr) => [String(pcr), value])),
        event_log: read.firmware,
        userspace_log: read.userspace,
        ima_log: read.ima,
        time: new Date().toISOString(),
      },
    });
    expect(verdict).toEqual({ verdict: 'TRUSTED' });
  });

  it('is not locked by power cuts after quotes: they are no failed tries to guess', async () => {
    for (let cut = 1; cut <= 4; cut++) {
      await attester().evidence('sha256', session(), ASKING);
      await software.cutPower();
    }
    expect(await software.tool('getcap', 'properties-variable')).toMatch(/TPM2_PT_LOCKOUT_COUNTER: 0x0$/m);
    expect((await attester().evidence('sha256', session(), ASKING)).quote.pcrValues).toHaveLength(16);
  });

  it('says so when it is locked, and when a hierarchy has a password', async () => {
    await software.tool('changeauth', '-c', 'owner', 'secret');
    await expect(attester().identity(ASKING)).rejects.toMatchObject({
      code: 'TPM_UNAVAILABLE',
      message: expect.stringContaining('hierarchy has a password'),
    });
    await software.tool('changeauth', '-c', 'owner', '-p', 'secret');
    await attester().identity(ASKING);
    // A key that counts, at the handle of the own one, and tries until the TPM has enough of it.
    await software.tool('evictcontrol', '-C', 'o', '-c', '0x81010020');
    const attributes = 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|restricted|sign';
    await software.tool('createprimary', '-C', 'o', '-G', 'ecc256:ecdsa-sha256:null', '-c', '@k.ctx', '-p', 'right', '-a', attributes);
    await software.tool('evictcontrol', '-C', 'o', '-c', '@k.ctx', '0x81010020');
    await software.flush();
    await rm(join(folder, 'ak-name'));
    const quote = () => attester().evidence('sha256', session(), ASKING);
    await expect(quote()).rejects.toMatchObject({ code: 'TPM_LOCKED', message: expect.stringContaining('locked against guessing') });
  });

  it('answers many questions one after another, and refuses more than it can keep waiting', async () => {
    const one = attester();
    await one.identity(ASKING);
    const asked = Array.from({ length: 8 }, (_, index) => one.evidence('sha256', session(), { asker: `client ${index}`, signal: NEVER }));
    const answers = await Promise.allSettled(asked);
    const refusals = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason] : []));
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(5);
    expect(refusals).toMatchObject(Array.from({ length: 3 }, () => ({ code: 'TPM_BUSY' })));
  });

  it('refuses a credential for a key that it does not have', async () => {
    const { ekPublic } = await attester().identity(ASKING);
    const activation = beginEnrolment(
      { ekCertificate: Buffer.alloc(0), ekPublic, akPublic: forgeKey('ak').area },
      NOBODY,
      Date.now(),
      randomBytes,
    );
    if ('reason' in activation) throw new Error(activation.found);
    await expect(attester().activate(activation.credential, ASKING)).rejects.toMatchObject({ code: 'CREDENTIAL_REFUSED' });
    await expect(attester().identity(ASKING)).resolves.toMatchObject({ ekPublic });
  });

  it('does not use another key that was put in the place of its own', async () => {
    await attester().identity(ASKING);
    await writeFile(join(folder, 'ak-name'), randomBytes(34));
    await expect(attester().evidence('sha256', session(), ASKING)).rejects.toMatchObject({
      message: 'Cannot use the attestation key: another key is at 0x81010020',
    });
  });

  it('says so at its start when another key was put in the place of its own', async () => {
    await attester().identity(ASKING);
    await writeFile(join(folder, 'ak-name'), randomBytes(34));
    await expect(attester().identity(ASKING)).rejects.toMatchObject({
      code: 'TPM_UNAVAILABLE',
      message: 'Cannot use the attestation key: another key is at 0x81010020',
    });
  });

  it('quotes though PCR 10 moves while it is read', async () => {
    const moving = (times: number) => new Tpm2Tpm(new ToolsOfAMovingPcr(software.tcti, times), folder, join(folder, 'ak-name'));
    expect((await moving(4).quote('sha256', randomBytes(32), NEVER)).pcrValues).toHaveLength(16);
    await expect(moving(5).quote('sha256', randomBytes(32), NEVER)).rejects.toMatchObject({ code: 'TPM_UNAVAILABLE' });
  });

  it('goes on with its key when the data of the node was wiped', async () => {
    const identity = await attester().identity(ASKING);
    await rm(join(folder, 'ak-name'));
    expect(await attester().identity(ASKING)).toEqual(identity);
  });

  it('quotes with RSA where that is what the TPM can', async () => {
    await software.tool('createek', '-c', '0x81010001', '-G', 'rsa', '-u', '@ek.pub');
    await software.flush();
    const { akPublic } = await attester().identity(ASKING);
    expect(akPublic.readUInt16BE(2)).toBe(0x0001);
    expect((await attester().evidence('sha256', session(), ASKING)).quote.pcrValues).toHaveLength(16);
  });

  it('refuses a nonce of another size', async () => {
    await expect(async () => attester().evidence('sha256', { ...session(), nonce: randomBytes(16) }, ASKING)).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
    });
  });

  it('gives up when nobody waits any longer', async () => {
    const caller = new AbortController();
    const answer = attester().identity({ ...ASKING, signal: caller.signal });
    caller.abort();
    await expect(answer).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  });

  it('takes no more of a log without an end than lamactl would', async () => {
    const endless = await open('/dev/zero');
    const { userspace } = await readMeasurementLogs({ firmware: undefined, userspace: endless.fd, ima: undefined });
    await endless.close();
    expect(userspace).toHaveLength(1 << 20);
  });

  it('reads a log anew each time, for it grows, and takes one that was not handed over for an empty one', async () => {
    const ima = await open(join(folder, 'ima'));
    const handed = { firmware: undefined, userspace: undefined, ima: ima.fd };
    const before = await readMeasurementLogs(handed);
    await appendFile(join(folder, 'ima'), 'more');
    const after = await readMeasurementLogs(handed);
    await ima.close();
    expect(after.ima.toString()).toBe(`${before.ima}more`);
    expect(after).toMatchObject({ firmware: Buffer.alloc(0), userspace: Buffer.alloc(0) });
  });
});

describe('a node', () => {
  it('without a TPM says so', async () => {
    const folder = await temporaryFolder();
    const missing = new Tpm2Tpm(new Tpm2Tools('device:/dev/tpm-that-is-not-there'), folder, join(folder, 'ak-name'));
    await expect(missing.identity(NEVER)).rejects.toMatchObject({ code: 'TPM_MISSING' });
  });

  it('whose TPM does not answer says so', async () => {
    const folder = await temporaryFolder();
    const silent = new Tpm2Tpm(new Tpm2Tools(`swtpm:path=${folder}/none`), folder, join(folder, 'ak-name'));
    await expect(silent.identity(NEVER)).rejects.toMatchObject({ code: 'TPM_UNAVAILABLE' });
  });
});
