// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { CHECKS, type Checks, verify } from '../../../../agent/lamactl/attest/verify.ts';
import { forge } from '../../fakes/attest/forged-tpm.ts';
import {
  GOOD_BOOT,
  GOOD_EVENTS,
  GOOD_FILES,
  pcrValues,
  startupLocality,
  writeBinaryImaLog,
  writeEventLog,
} from '../../fakes/attest/measured-boot.ts';
import { ATTACKS } from './attacks.ts';

const names = [...CHECKS.quote, ...CHECKS.boot].map(({ name }) => name);

function without(name: string): Checks {
  return { quote: CHECKS.quote.filter((check) => check.name !== name), boot: CHECKS.boot.filter((check) => check.name !== name) };
}

describe('evidence that holds', () => {
  it('is trusted', () => {
    expect(verify(forge())).toEqual({ verdict: 'TRUSTED' });
  });

  it('is trusted with a binary IMA log', () => {
    expect(verify(forge({ evidence: { ima_log: writeBinaryImaLog(GOOD_FILES) } }))).toEqual({ verdict: 'TRUSTED' });
  });

  it('is trusted when IMA went on after the quote', () => {
    const files = [...GOOD_FILES, { path: '/later', hash: '55'.repeat(32) }];
    expect(verify(forge({ evidence: { ima_log: writeBinaryImaLog(files) } }))).toEqual({ verdict: 'TRUSTED' });
  });

  it.each([0, 3, 4])('is trusted of a TPM that was started in locality %i', (locality) => {
    const events = [startupLocality(0, locality), ...GOOD_EVENTS];
    expect(verify(forge({ locality, evidence: { event_log: writeEventLog(events) } }))).toEqual({ verdict: 'TRUSTED' });
  });

  it('is trusted when every pin, counter and list agrees', () => {
    const ima_files = Object.fromEntries(GOOD_FILES.map(({ path, hash }) => [path, [`sha256:${hash}`]]));
    const policy = { ima_files, tpm_firmware: ['2024010100000001'], last: { clock: '1000000', reset_count: 7, restart_count: 1 } };
    expect(verify(forge({ policy }))).toEqual({ verdict: 'TRUSTED' });
  });

  it('says what was believed at first use', () => {
    const pcrs = Object.fromEntries(
      ['0', '2', '4', '7', '11'].map((pcr) => {
        const from = pcr === '7' ? ('first-use' as const) : ('image' as const);
        return [pcr, { values: [pcrValues(GOOD_BOOT)[pcr]?.toString('hex') ?? ''], from }];
      }),
    );
    const verdict = verify(forge({ policy: { ek_trust: 'first-use', pcrs } }));
    expect(verdict).toEqual({ verdict: 'TRUSTED (first use)', believed: ['endorsement key', 'PCR 7'] });
  });
});

describe('rejects', () => {
  it.each(ATTACKS)('$what', ({ question, reason }) => {
    expect(verify(question())).toMatchObject({ verdict: 'REJECTED', reason });
  });
});

describe('a verifier without the check', () => {
  it.each(ATTACKS.filter(({ check }) => check))('$check no longer gives that reason for $what', ({ question, reason, check = '' }) => {
    expect(names).toContain(check);
    expect(verify(question(), without(check))).not.toMatchObject({ verdict: 'REJECTED', reason });
  });

  it('is noticed, whichever it is', () => {
    expect(names.filter((name) => !ATTACKS.some(({ check }) => check === name))).toEqual([]);
    expect(new Set(names).size).toBe(names.length);
  });
});
