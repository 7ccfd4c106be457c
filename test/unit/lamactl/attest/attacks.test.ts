// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { CHECKS, type Checks, verify } from '../../../../agent/lamactl/attest/verify.ts';
import {
  AUTHORITY,
  authorityVariable,
  DRIVER_CONFIG,
  EFI_ACTION,
  event,
  GOOD_BOOT,
  GOOD_EVENTS,
  GOOD_FILES,
  hashed,
  NO_ACTION,
  pcrValues,
  startupLocality,
  writeBinaryImaLog,
  writeEventLog,
} from '../../../../qemu/measured-boot/measured-boot.ts';
import { forge } from '../../fakes/attest/forged-tpm.ts';
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

  const last = (clock: string, reset_count: number, restart_count: number) => ({ last: { clock, reset_count, restart_count } });
  it.each([
    ['after a reset, with fewer restarts and less time', last('9000000', 6, 9)],
    ['after a restart, with less time', last('9000000', 7, 0)],
    ['at the same time', last('1000000', 7, 1)],
    ['later', last('999999', 7, 1)],
  ])('is trusted %s', (_, policy) => {
    expect(verify(forge({ policy }))).toEqual({ verdict: 'TRUSTED' });
  });

  it('is trusted with an addon or an extension that the policy expects', () => {
    const events = [...GOOD_EVENTS, event(12, 0xd, 'debug'), event(13, 0xd, 'a sysext')];
    const boot = { ...GOOD_BOOT, events };
    const { policy } = forge({ boot });
    const pin = (pcr: string) => ({ values: [pcrValues(boot)[pcr]?.toString('hex') ?? ''], from: 'operator' as const });
    expect(verify(forge({ boot, policy: { unpinned_pcrs: [12, 13] } }))).toEqual({ verdict: 'TRUSTED' });
    expect(verify(forge({ boot, policy: { pcrs: { ...policy.pcrs, 12: pin('12'), 13: pin('13') } } }))).toEqual({ verdict: 'TRUSTED' });
    expect(verify(forge({ boot, policy: { unpinned_pcrs: [12] } }))).toMatchObject({ reason: 'pcr-value', pcr: 13 });
    expect(verify(forge({ boot, policy: { unpinned_pcrs: [13] } }))).toMatchObject({ reason: 'pcr-value', pcr: 12 });
  });

  it('is trusted of the image before the last update, and says so; values of two images together are not', () => {
    const { policy } = forge();
    const other = (pcr: string) => ({ values: ['55'.repeat(32)], from: policy.pcrs[pcr]?.from ?? 'image' });
    const updated = { ...policy.pcrs, 4: other('4'), 11: other('11') };
    const both = { 4: policy.pcrs['4']!, 11: policy.pcrs['11']! };
    expect(verify(forge({ policy: { pcrs: updated } }))).toMatchObject({ reason: 'pcr-value', pcr: 4 });
    expect(verify(forge({ policy: { pcrs: updated, previous: both } }))).toEqual({ verdict: 'TRUSTED', image: 'previous' });
    const mixed = { pcrs: { ...updated, 4: both[4] }, previous: { ...both, 4: other('4') } };
    expect(verify(forge({ policy: mixed }))).toMatchObject({ reason: 'pcr-value', pcr: 11 });
    const strange = { pcrs: updated, previous: both, authorities: ['44'.repeat(32)] };
    expect(verify(forge({ policy: strange }))).toMatchObject({ reason: 'authority' });
  });

  it('is trusted without Secure Boot where the policy does not ask for it', () => {
    const boot = { ...GOOD_BOOT, events: GOOD_EVENTS.filter(({ type }) => type !== DRIVER_CONFIG) };
    expect(verify(forge({ boot, policy: { secure_boot: 'any' } }))).toEqual({ verdict: 'TRUSTED' });
  });

  it('is trusted with the authorities that the policy lists', () => {
    const authorities = [hashed('sha256', 'the certificate of the image builder').toString('hex')];
    expect(verify(forge({ policy: { authorities } }))).toEqual({ verdict: 'TRUSTED' });
  });

  it('is trusted with texts and certificates of drivers in PCR 7, before the firmware hands over', () => {
    const events = [event(7, EFI_ACTION, 'DMA Protection Disabled\0'), event(7, AUTHORITY, authorityVariable), ...GOOD_EVENTS];
    expect(verify(forge({ boot: { ...GOOD_BOOT, events } }))).toEqual({ verdict: 'TRUSTED' });
  });

  it('is trusted with events in PCR 7 that nobody knows, where nothing is concluded from them', () => {
    const events = [event(7, 6, Buffer.of(1, 2)), ...GOOD_EVENTS];
    expect(verify(forge({ boot: { ...GOOD_BOOT, events }, policy: { secure_boot: 'any' } }))).toEqual({ verdict: 'TRUSTED' });
    expect(verify(forge({ boot: { ...GOOD_BOOT, events } }))).toMatchObject({ reason: 'event-type', pcr: 7 });
  });

  it('is trusted with a first IMA entry of a bank that was not quoted', () => {
    const files = [{ path: 'boot_aggregate', hash: '66'.repeat(20), algorithm: 'sha1' }, ...GOOD_FILES.slice(1)];
    const ima_files = Object.fromEntries(GOOD_FILES.map(({ path, hash }) => [path, [`sha256:${hash}`]]));
    expect(verify(forge({ boot: { ...GOOD_BOOT, files }, policy: { ima_files } }))).toEqual({ verdict: 'TRUSTED' });
  });

  it('is trusted with a StartupLocality behind events of other PCRs, and others that are not measured', () => {
    const events = [event(0, NO_ACTION, 'vendor'), event(1, 0x8, 'x'), startupLocality(0, 3), ...GOOD_EVENTS];
    expect(verify(forge({ boot: { ...GOOD_BOOT, events }, locality: 3 }))).toEqual({ verdict: 'TRUSTED' });
  });

  it('is trusted without logs of the PCRs that the policy excepts', () => {
    const policy = { unlogged_pcrs: [10, 11, 15] };
    const empty = Buffer.alloc(0);
    expect(verify(forge({ policy, evidence: { userspace_log: empty, ima_log: empty } }))).toEqual({ verdict: 'TRUSTED' });
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

describe('a rejection', () => {
  it.each([
    [
      'PCR and event of the firmware',
      { pcr: 3, event: /^firmware event \d+ \(EV_SEPARATOR\)$/ },
      'a separator that is not what was measured',
    ],
    ['PCR and event of userspace', { pcr: 11, event: /^userspace event 3 \(phase\)$/ }, 'a boot phase that is not what was measured'],
    ['PCR and line of IMA', { pcr: 10, event: /^IMA line 4$/ }, 'a listed file with another content'],
    ['the PCR that the logs do not explain', { pcr: 4 }, 'a firmware log that leaves something out'],
    ['the PCR that is not as pinned', { pcr: 11 }, 'another image than the policy expects'],
    ['the PCR without a value', { pcr: 3 }, 'no value of a PCR that is in the quote'],
    ['the PCR that was not quoted', { pcr: 16 }, 'a value of a PCR that is not in the quote (CVE-2022-0317)'],
    ['the PCR without a separator', { pcr: 3 }, 'PCR 3, which the firmware did not end with a separator'],
    ['the PCR that was left alone', { pcr: 3 }, 'one PCR that the firmware left alone'],
    ['the PCR of Secure Boot', { pcr: 7 }, 'Secure Boot that was off'],
    ['the PCR of IMA', { pcr: 10 }, 'an IMA log that leaves something out'],
    ['the PCR that is not pinned', { pcr: 0 }, 'a policy that says nothing of PCR 0'],
  ])('names %s', (_, where, what) => {
    const attack = ATTACKS.find((each) => each.what === what);
    const verdict = attack && verify(attack.question());
    expect(verdict).toMatchObject({ verdict: 'REJECTED', pcr: where.pcr });
    if ('event' in where && verdict?.verdict === 'REJECTED') expect(verdict.event).toMatch(where.event);
  });

  it('is nothing that hides a mistake of the verifier', () => {
    const broken: Checks = {
      ...CHECKS,
      quote: [
        () => {
          throw new TypeError('a mistake');
        },
      ],
    };
    expect(() => verify(forge(), broken)).toThrow('a mistake');
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
