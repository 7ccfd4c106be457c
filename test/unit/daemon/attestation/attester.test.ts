// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { type Answered, Attester } from '../../../../agent/daemon/attestation/attester.ts';
import type { Tpm, TpmIdentity } from '../../../../agent/daemon/attestation/tpm.ts';
import { Failure } from '../../../../agent/shared/failure.ts';
import { FakeClock } from '../../fakes/clock.ts';

const NEVER = new AbortController().signal;
const ASKING = { asker: 'an administrator', signal: NEVER };
const EMPTY = Buffer.alloc(0);
const KEYS: TpmIdentity = { ekCertificate: EMPTY, ekPublic: Buffer.from('ek'), akPublic: Buffer.from('ak') };
const SESSION = { nonce: Buffer.alloc(32), serverCertificateSha256: Buffer.alloc(32, 1), clientCertificateSha256: Buffer.alloc(32, 2) };

function attesterOf(tpm: Partial<Tpm>) {
  const clock = new FakeClock();
  const heard: Answered[] = [];
  const refuse = async (): Promise<never> => {
    throw new Failure('TPM_UNAVAILABLE', 'Cannot run tpm2_quote: the TPM is locked out');
  };
  const logs = async () => ({ firmware: EMPTY, userspace: EMPTY, ima: EMPTY });
  const attester = new Attester({ identity: refuse, activate: refuse, quote: refuse, ...tpm }, logs, clock);
  attester.listen((answered) => heard.push(answered));
  return { attester, clock, heard };
}

/** A TPM that takes its time, and counts who asks at the same time. */
function slowTpm(clock: () => FakeClock) {
  const seen = { now: 0, most: 0 };
  const identity: Tpm['identity'] = async (signal) => {
    seen.now++;
    seen.most = Math.max(seen.most, seen.now);
    try {
      await clock().sleep(1000, signal);
    } finally {
      seen.now--;
    }
    return KEYS;
  };
  return { identity, seen };
}

describe('the attester', () => {
  it('asks the TPM one question at a time, and refuses more than it keeps waiting', async () => {
    const { identity, seen } = slowTpm(() => clock);
    const { attester, clock } = attesterOf({ identity });
    const answers = Promise.allSettled(
      Array.from({ length: 7 }, (_, asker) => attester.identity({ asker: `client ${asker}`, signal: NEVER })),
    );
    await clock.advance(10_000);
    const states = (await answers).map(({ status }) => status);
    expect(states).toEqual([...Array(5).fill('fulfilled'), 'rejected', 'rejected']);
    expect(seen.most).toBe(1);
  });

  it('keeps two questions of one client, so that there is room for the others', async () => {
    const { identity } = slowTpm(() => clock);
    const { attester, clock } = attesterOf({ identity });
    const greedy = Array.from({ length: 5 }, () => attester.identity(ASKING));
    const other = attester.identity({ asker: 'another', signal: NEVER });
    const answers = Promise.allSettled([...greedy, other]);
    await clock.advance(10_000);
    expect((await answers).map(({ status }) => status)).toEqual([...Array(2).fill('fulfilled'), ...Array(3).fill('rejected'), 'fulfilled']);
    await Promise.all([attester.identity(ASKING), clock.advance(1000)]);
  });

  it('gives up a TPM that hangs after a minute, and goes on with the next question', async () => {
    let hangs = true;
    const { attester, clock, heard } = attesterOf({
      identity: (signal) =>
        hangs ? new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))) : Promise.resolve(KEYS),
    });
    const answer = expect(attester.identity(ASKING)).rejects.toMatchObject({
      code: 'TPM_UNAVAILABLE',
      message: 'Cannot read the keys of the TPM: the TPM did not answer within 60 s',
    });
    await clock.advance(60_000);
    await answer;
    hangs = false;
    expect(await attester.identity(ASKING)).toBe(KEYS);
    expect(heard).toMatchObject([{ question: 'identity', durationMs: 60_000, failure: { code: 'TPM_UNAVAILABLE' } }, { durationMs: 0 }]);
    expect(clock.sleeping).toBe(0);
  });

  it('lets nobody wait who does not want to any more', async () => {
    const { identity, seen } = slowTpm(() => clock);
    const { attester, clock, heard } = attesterOf({ identity });
    const caller = new AbortController();
    const first = attester.identity(ASKING);
    const second = expect(attester.identity({ ...ASKING, signal: caller.signal })).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    caller.abort();
    await second;
    expect(heard).toEqual([]);
    await clock.advance(1000);
    expect(await first).toBe(KEYS);
    expect(seen).toEqual({ now: 0, most: 1 });
  });

  it('says nothing of the TPM when who asked hangs up', async () => {
    const { identity } = slowTpm(() => clock);
    const { attester, clock, heard } = attesterOf({ identity });
    const asker = new AbortController();
    const asked = attester.identity({ asker: 'a client', signal: asker.signal }).catch(({ code }) => code);
    await clock.advance(500);
    asker.abort();
    expect([await asked, heard]).toEqual(['DEADLINE_EXCEEDED', []]);
  });

  it('tells what the TPM says when it does not answer, and how long that took', async () => {
    const { attester, heard } = attesterOf({});
    await expect(attester.evidence('sha256', SESSION, ASKING)).rejects.toMatchObject({ code: 'TPM_UNAVAILABLE' });
    expect(heard).toMatchObject([{ question: 'quote', failure: { code: 'TPM_UNAVAILABLE' } }]);
  });

  it('has the TPM sign nonce and session, and reads the logs after that', async () => {
    const order: string[] = [];
    const clock = new FakeClock();
    const tpm: Tpm = {
      identity: async () => KEYS,
      activate: async () => EMPTY,
      quote: async (bank, data) => {
        order.push(`${bank} ${data.toString('hex')}`);
        return { attest: EMPTY, signature: EMPTY, pcrValues: [] };
      },
    };
    const readLogs = async () => {
      order.push('logs');
      return { firmware: EMPTY, userspace: EMPTY, ima: EMPTY };
    };
    await new Attester(tpm, readLogs, clock).evidence('sha384', SESSION, ASKING);
    // SHA-256 of "lamadist-attest-v1", 32 zeros, 32 ones and 32 twos.
    expect(order).toEqual([expect.stringMatching(/^sha384 [0-9a-f]{64}$/), 'logs']);
  });
});
