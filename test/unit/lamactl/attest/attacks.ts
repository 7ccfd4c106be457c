// SPDX-License-Identifier: Apache-2.0
// Everything that somebody could try, each made here: what it is, the reason it must be rejected for, and the check that does.
import type { Challenge } from '../../../../agent/lamactl/attest/challenge.ts';
import type { Reason } from '../../../../agent/lamactl/attest/verdict.ts';
import type { Question } from '../../../../agent/lamactl/attest/verify.ts';
import {
  AUTHORITY,
  authorityOf,
  authorityVariable,
  BOOT_APPLICATION,
  type Boot,
  DRIVER_CONFIG,
  EFI_ACTION,
  event,
  GOOD_BOOT,
  GOOD_EVENTS,
  GOOD_FILES,
  GOOD_PHASES,
  hashed,
  IPL,
  NO_ACTION,
  pcrValues,
  platformKeyVariable,
  SEPARATOR,
  secureBootVariable,
  specId,
  startupLocality,
  type TestEvent,
  writeEventLog,
  writeImaLog,
  writeUserspaceLog,
} from '../../../../qemu/measured-boot/measured-boot.ts';
import { CHALLENGE, type Forgery, forge, forgeKey } from '../../fakes/attest/forged-tpm.ts';

export interface Attack {
  readonly what: string;
  readonly reason: Reason;
  /** The name of the check that it is for; none where a parser refuses. */
  readonly check?: string;
  /** For the usual challenge, or for that of a session of now. */
  readonly question: (challenge?: Challenge) => Question;
}

const GOOD = pcrValues(GOOD_BOOT);
const without = (pcr: number) => Object.fromEntries(Object.entries(GOOD).filter(([number]) => Number(number) !== pcr));
const boot = (changes: Partial<Boot>): Boot => ({ ...GOOD_BOOT, ...changes });
/** A log that says something else than what was measured. */
const logged = (events: readonly TestEvent[]): Forgery => ({ evidence: { event_log: writeEventLog(events) } });
const replaced = (type: number, pcr: number, by: (event: TestEvent) => TestEvent) =>
  GOOD_EVENTS.map((each) => (each.type === type && each.pcr === pcr ? by(each) : each));
const SHA256 = 0x000b;
const ATTRIBUTES_OF_AK = 0x50032;
/** A boot that was measured as it says, and for which the policy has the values. */
const attack = (what: string, reason: Reason, check: string, forgery: Forgery): Attack => ({
  what,
  reason,
  check,
  question: (challenge) => forge(forgery, challenge),
});
const selecting = (what: string, algorithm: number, ...bitmap: number[]): Attack =>
  attack(what, 'selection', 'selectionIsAsAsked', { words: { selections: [{ algorithm, bitmap: Buffer.from(bitmap) }] } });
const keyWith = (what: string, attributes: number): Attack =>
  attack(what, 'ak-not-restricted', 'akIsRestricted', { ak: forgeKey('ak', attributes) });
const last = (clock: string, reset_count: number, restart_count: number) => ({ policy: { last: { clock, reset_count, restart_count } } });

const IDENTITY: readonly Attack[] = [
  attack('another endorsement key than the enrolled one', 'ek-changed', 'ekIsEnrolled', { policy: { ek_name: `000b${'11'.repeat(32)}` } }),
  attack('an endorsement certificate for another key', 'ek-certificate', 'ekCertificateIsForEk', {
    evidence: { ek_certificate: Buffer.from('no certificate') },
  }),
  attack('a software AK in place of the enrolled one', 'ak-changed', 'akIsEnrolled', { policy: { ak_name: `000b${'22'.repeat(32)}` } }),
  keyWith('an AK that is not restricted', ATTRIBUTES_OF_AK & ~(1 << 16)),
  keyWith('an AK that may leave the TPM', ATTRIBUTES_OF_AK & ~(1 << 1)),
  keyWith('an AK that was brought into the TPM', ATTRIBUTES_OF_AK & ~(1 << 5)),
  keyWith('an AK that may have another parent', ATTRIBUTES_OF_AK & ~(1 << 4)),
  keyWith('an AK that does not sign', ATTRIBUTES_OF_AK & ~(1 << 18)),
  keyWith('an AK that decrypts', ATTRIBUTES_OF_AK | (1 << 17)),
];

const QUOTE: readonly Attack[] = [
  attack('a quote that another key signed', 'signature', 'isSigned', { evidence: { signature: forgeKey('ak').sign(Buffer.from('x')) } }),
  attack('words that a TPM never said (CVE-2024-29038)', 'magic', 'isMadeByTpm', { words: { magic: 0xff544348 } }),
  {
    what: 'an attestation of something else than PCRs',
    reason: 'type',
    check: 'isQuote',
    question: (challenge) => forge({ words: { type: 0x8017 } }, challenge),
  },
  {
    what: 'evidence of an earlier question',
    reason: 'nonce',
    check: 'answersNonce',
    question: () => ({ ...forge(), challenge: { ...CHALLENGE, nonce: hashed('sha256', 'a new nonce') } }),
  },
  {
    what: 'evidence from a session with another server certificate',
    reason: 'session',
    check: 'isOfSession',
    question: () => ({ ...forge(), challenge: { ...CHALLENGE, serverCertificateSha256: hashed('sha256', 'relay') } }),
  },
  {
    what: 'evidence from a session with another client certificate',
    reason: 'session',
    check: 'isOfSession',
    question: () => ({ ...forge(), challenge: { ...CHALLENGE, clientCertificateSha256: hashed('sha256', 'relay') } }),
  },
  attack('an old quote beside the new nonce', 'extra-data', 'isForNonceAndSession', { words: { extraData: hashed('sha256', 'old') } }),
  attack('PCR values of SHA-1', 'sha1-only', 'bankIsStrong', { evidence: { pcr_bank: 'sha1' } }),
  selecting('a quote of PCR 16 in place of PCR 15 (CVE-2024-29039)', SHA256, 0xff, 0x7f, 0x01),
  selecting('a quote of fewer PCRs than asked for', SHA256, 0xff, 0x03, 0),
  selecting('a quote of more PCRs than asked for', SHA256, 0xff, 0xff, 0x01),
  selecting('a quote of another bank', 0x000c, 0xff, 0xff, 0),
  attack('values that are said to be of another bank', 'selection', 'selectionIsAsAsked', { evidence: { pcr_bank: 'sha384' } }),
  attack('a quote of two banks', 'selection', 'selectionIsAsAsked', {
    words: { selections: [SHA256, 0x0004].map((algorithm) => ({ algorithm, bitmap: Buffer.of(0xff, 0xff, 0) })) },
  }),
  attack('a value of a PCR that is not in the quote (CVE-2022-0317)', 'unquoted-pcr', 'valuesAreOfQuotedPcrs', {
    evidence: { pcr_values: { ...GOOD, 16: Buffer.alloc(32) } },
  }),
  attack('no value of a PCR that is in the quote', 'unquoted-pcr', 'valuesAreOfQuotedPcrs', { evidence: { pcr_values: without(3) } }),
  attack('a border between two values that was moved', 'unquoted-pcr', 'valuesAreOfQuotedPcrs', {
    evidence: {
      pcr_values: {
        ...GOOD,
        8: GOOD['8']?.subarray(0, 31) as Buffer,
        9: Buffer.concat([GOOD['8']?.subarray(31) as Buffer, GOOD['9'] as Buffer]),
      },
    },
  }),
  attack('other PCR values than those in the quote', 'digest', 'digestIsOfValues', {
    evidence: { pcr_values: { ...GOOD, 14: hashed('sha256', 'better') } },
  }),
  attack('an AK that is no child of the EK (CVE-2021-3406)', 'qualified-signer', 'signerIsChildOfEk', {
    words: { qualifiedSigner: Buffer.concat([Buffer.of(0, 0x0b), hashed('sha256', 'another parent')]) },
  }),
  attack('fewer resets than before', 'clock', 'clockGoesOn', last('0', 8, 0)),
  attack('fewer restarts than before, within a reset', 'clock', 'clockGoesOn', last('0', 7, 2)),
  attack('a clock that went back, within a restart', 'clock', 'clockGoesOn', last('1000001', 7, 1)),
];

const nothingMeasured = boot({ events: GOOD_EVENTS.filter(({ pcr }) => pcr !== 3) });
const noSeparator = (pcr: number) =>
  boot({
    events: GOOD_EVENTS.map((each) => (each.pcr === pcr && each.type === SEPARATOR ? event(pcr, 0x80000004, 'what', 'a ROM') : each)),
  });

const LOGS: readonly Attack[] = [
  attack('a firmware log of SHA-1 alone', 'sha1-only', 'logHasStrongBank', {
    evidence: { event_log: writeEventLog(GOOD_EVENTS, ['sha1']) },
  }),
  attack('a firmware log in the old form', 'sha1-only', 'logHasStrongBank', { evidence: { event_log: Buffer.alloc(32) } }),
  attack('no firmware log', 'unextended-bank', 'firmwareExtendedBank', { evidence: { event_log: Buffer.alloc(0) } }),
  attack('a bank that the firmware left alone (CVE-2021-42299)', 'unextended-bank', 'firmwareExtendedBank', {
    boot: boot({ events: [] }),
  }),
  attack('a bank that the firmware left alone, with a log of a good boot', 'unextended-bank', 'firmwareExtendedBank', {
    boot: boot({ events: [] }),
    evidence: { event_log: writeEventLog(GOOD_EVENTS) },
  }),
  attack('a firmware log that lacks the bank', 'unextended-bank', 'firmwareExtendedBank', {
    evidence: { event_log: writeEventLog(GOOD_EVENTS, ['sha1', 'sha384']) },
  }),
  attack('one PCR that the firmware left alone', 'unextended-bank', 'firmwareExtendedBank', { boot: nothingMeasured }),
  ...[0, 1, 2, 3, 4, 5, 6, 7].map((pcr) =>
    attack(`PCR ${pcr}, which the firmware did not end with a separator`, 'unextended-bank', 'firmwareExtendedBank', {
      boot: noSeparator(pcr),
    }),
  ),
  attack(
    'an EV_NO_ACTION with a digest',
    'no-action',
    'noActionIsEmpty',
    logged([...GOOD_EVENTS, { ...event(0, NO_ACTION, 'x'), hasDigest: true }]),
  ),
  attack('a log within the log', 'recursive-log', 'logIsOne', logged([...GOOD_EVENTS, event(0, NO_ACTION, specId(['sha256']))])),
  attack('a second StartupLocality', 'startup-locality', 'localityIsInPlace', {
    ...logged([startupLocality(0, 0), startupLocality(0, 3), ...GOOD_EVENTS]),
  }),
  attack(
    'a StartupLocality after PCR 0 was extended',
    'startup-locality',
    'localityIsInPlace',
    logged([...GOOD_EVENTS, startupLocality(0, 0)]),
  ),
  attack('a StartupLocality for another PCR', 'startup-locality', 'localityIsInPlace', logged([startupLocality(1, 0), ...GOOD_EVENTS])),
  attack('a StartupLocality that no TPM has', 'startup-locality', 'localityIsInPlace', {
    ...logged([startupLocality(0, 2), ...GOOD_EVENTS]),
    locality: 2,
  }),
  attack(
    'a StartupLocality that was not that of the start',
    'log-mismatch',
    'logsLeadToPcrs',
    logged([startupLocality(0, 3), ...GOOD_EVENTS]),
  ),
  attack('a Secure Boot state that is not what was measured', 'uncovered-data', 'dataIsMeasured', {
    boot: boot({
      events: replaced(DRIVER_CONFIG, 7, (each) => (each.data.length > 40 ? { ...each, measured: secureBootVariable(0) } : each)),
    }),
  }),
  attack('a boot variable that is not what was measured', 'uncovered-data', 'dataIsMeasured', {
    boot: boot({ events: [...GOOD_EVENTS, event(1, 0x80000002, 'no variable', 'something else')] }),
  }),
  attack('a variable of the configuration of which only the value was measured', 'uncovered-data', 'dataIsMeasured', {
    boot: boot({ events: [event(7, DRIVER_CONFIG, secureBootVariable(1), Buffer.of(1)), ...GOOD_EVENTS] }),
  }),
  attack('a separator that is not what was measured', 'uncovered-data', 'dataIsMeasured', {
    boot: boot({ events: replaced(SEPARATOR, 3, (each) => ({ ...each, measured: Buffer.from('an error') })) }),
  }),
  attack('a boot phase that is not what was measured', 'uncovered-data', 'textIsMeasured', {
    boot: boot({ phases: GOOD_PHASES.map((each) => (each.text === 'ready' ? { ...each, measured: 'emergency' } : each)) }),
  }),
  attack(
    'a firmware log that leaves something out',
    'log-mismatch',
    'logsLeadToPcrs',
    logged(GOOD_EVENTS.filter(({ type }) => type !== BOOT_APPLICATION)),
  ),
  attack('a userspace log that leaves something out', 'log-mismatch', 'logsLeadToPcrs', {
    evidence: { userspace_log: writeUserspaceLog(GOOD_PHASES.slice(1)) },
  }),
  attack('an IMA log that leaves something out', 'ima-log-mismatch', 'imaLogLeadsToPcr', {
    evidence: { ima_log: writeImaLog(GOOD_FILES.slice(1)) },
  }),
  attack('an IMA log that says of a violation that there was none', 'ima-log-mismatch', 'imaLogLeadsToPcr', {
    boot: boot({ files: GOOD_FILES.map((file) => ({ ...file, isViolation: true as const })) }),
    evidence: { ima_log: writeImaLog(GOOD_FILES) },
  }),
];

const otherPin = { values: ['33'.repeat(32)], from: 'operator' as const };
const listed = Object.fromEntries(GOOD_FILES.map(({ path, hash }) => [path, [`sha256:${hash}`]]));
const changedFile = { path: '/usr/bin/node', hash: hashed('sha256', 'not node').toString('hex') };
const secureBootOff = boot({
  events: GOOD_EVENTS.map((each) =>
    each.type === DRIVER_CONFIG && each.data.includes('S') ? event(7, DRIVER_CONFIG, secureBootVariable(0)) : each,
  ),
});
const secureBootLate = boot({
  events: [...GOOD_EVENTS.filter(({ type }) => type !== DRIVER_CONFIG), event(7, DRIVER_CONFIG, secureBootVariable(1))],
});
const secureBootElsewhere = boot({
  events: [event(1, DRIVER_CONFIG, secureBootVariable(1)), ...GOOD_EVENTS.filter(({ type }) => type !== DRIVER_CONFIG)],
});
/** Root of a node that booted without Secure Boot extends PCR 7 with what it would like to have been, and renames what was. */
const PCR_7_SEPARATOR = event(7, SEPARATOR, Buffer.alloc(4));
const SECURE_BOOT_OFF = event(7, DRIVER_CONFIG, secureBootVariable(0));
const extendedLater = [...secureBootOff.events, event(7, DRIVER_CONFIG, secureBootVariable(1)), PCR_7_SEPARATOR];
const isState = (each: TestEvent) => each.pcr === 7 && each.data.equals(SECURE_BOOT_OFF.data);
const isSeparator = (each: TestEvent) => each.pcr === 7 && each.type === SEPARATOR;
const isAuthority = (each: TestEvent) => each.type === AUTHORITY;
const EVENT_TAG = 6;
const renamed = (what: string, events: readonly TestEvent[], names: (event: TestEvent, isFirst: boolean) => number | undefined): Attack => {
  const seen = new Set<string>();
  const told = events.map((each) => {
    const kind = `${each.pcr} ${each.type}`;
    const type = names(each, !seen.has(kind));
    seen.add(kind);
    return type === undefined ? each : { ...each, type };
  });
  return attack(what, 'event-type', 'eventsAreNamedRightly', { boot: boot({ events }), ...logged(told) });
};
const RENAMED: readonly Attack[] = [
  renamed('a Secure Boot that was off, called something that is not looked at', extendedLater, (each, isFirst) =>
    isState(each) || (isSeparator(each) && isFirst) ? EVENT_TAG : undefined,
  ),
  renamed('a Secure Boot that was off, called a text', extendedLater, (each, isFirst) =>
    isState(each) || (isSeparator(each) && isFirst) ? EFI_ACTION : undefined,
  ),
  renamed('a Secure Boot that was off, called an authority', extendedLater, (each, isFirst) =>
    isState(each) ? AUTHORITY : isSeparator(each) && isFirst ? EFI_ACTION : undefined,
  ),
  renamed('two separators', extendedLater, () => undefined),
  renamed('two states of Secure Boot', [SECURE_BOOT_OFF, ...GOOD_EVENTS], () => undefined),
  renamed('a certificate that allowed something, called a boot loader', GOOD_EVENTS, (each) => (isAuthority(each) ? IPL : undefined)),
  renamed('a certificate that allowed something, called a part of the configuration', GOOD_EVENTS, (each) =>
    isAuthority(each) ? DRIVER_CONFIG : undefined,
  ),
  renamed(
    'a certificate that allowed a driver, called a part of the configuration for the second time',
    [event(7, DRIVER_CONFIG, authorityVariable), event(7, AUTHORITY, authorityVariable), ...GOOD_EVENTS],
    (each) => (isAuthority(each) ? DRIVER_CONFIG : undefined),
  ),
];
/** Root extends PCR 7 with the good certificate, and hides the one that really allowed its boot. */
const STRANGE = event(7, AUTHORITY, authorityOf(Buffer.from('the certificate of a stranger')));
const allowedByStranger = [...GOOD_EVENTS.map((each) => (isAuthority(each) ? STRANGE : each)), event(7, AUTHORITY, authorityVariable)];
const NO_VARIABLE = event(7, AUTHORITY, authorityVariable.subarray(0, -1));
const NO_PLATFORM_KEY = event(7, DRIVER_CONFIG, platformKeyVariable(''));
const GOOD_AUTHORITY = hashed('sha256', 'the certificate of the image builder').toString('hex');
const hidden = (
  what: string,
  events: readonly TestEvent[],
  of: TestEvent,
  by: Partial<TestEvent>,
  policy: Forgery['policy'] = {},
): Attack =>
  attack(what, 'event-type', 'eventsAreNamedRightly', {
    boot: boot({ events }),
    ...logged(events.map((each) => (each === of ? { ...each, ...by } : each))),
    policy,
  });
const HIDDEN: readonly Attack[] = [
  hidden(
    "a stranger's certificate that allowed the boot, hidden behind a separator's data",
    allowedByStranger,
    STRANGE,
    { type: IPL, data: Buffer.alloc(4) },
    { authorities: [GOOD_AUTHORITY] },
  ),
  hidden(
    'an authority that is no variable, called an action',
    [...GOOD_EVENTS, NO_VARIABLE],
    NO_VARIABLE,
    { type: EFI_ACTION },
    { authorities: [GOOD_AUTHORITY] },
  ),
  hidden(
    'a second state of Secure Boot, called an authority',
    GOOD_EVENTS.flatMap((each) => (isSeparator(each) ? [SECURE_BOOT_OFF, each] : [each])),
    SECURE_BOOT_OFF,
    { type: AUTHORITY },
  ),
  hidden(
    'a platform key that was deleted at the console, called an authority',
    GOOD_EVENTS.flatMap((each) => (isSeparator(each) ? [NO_PLATFORM_KEY, each] : [each])),
    NO_PLATFORM_KEY,
    { type: AUTHORITY },
  ),
];
/** Where nobody asks for Secure Boot, who allowed what is still asked for. */
const renamedWithoutSecureBoot = attack(
  'a certificate that the policy does not list, called a boot loader',
  'event-type',
  'eventsAreNamedRightly',
  {
    ...logged(GOOD_EVENTS.map((each) => (isAuthority(each) ? { ...each, type: IPL } : each))),
    policy: { secure_boot: 'any', authorities: ['44'.repeat(32)] },
  },
);
const secureBootUnknown = boot({ events: GOOD_EVENTS.filter((each) => !each.data.equals(secureBootVariable(1))) });

/** What leads an empty PCR to a value that is zero in one place and not in others. */
const withZero = Array.from({ length: 256 }, (_, index) => `addon ${index}`).find((text) =>
  hashed('sha256', Buffer.concat([Buffer.alloc(32), hashed('sha256', text)])).includes(0),
) as string;

const EXPECTATIONS: readonly Attack[] = [
  ...[0, 2, 4, 7, 11].map(
    (pcr): Attack => ({
      what: `a policy that says nothing of PCR ${pcr}`,
      reason: 'policy-incomplete',
      check: 'requiredPcrsArePinned',
      question: (challenge) => {
        const { policy, ...rest } = forge({}, challenge);
        const { [String(pcr)]: _, ...pcrs } = policy.pcrs;
        return { ...rest, policy: { ...policy, pcrs } };
      },
    }),
  ),
  {
    what: 'another image than the policy expects',
    reason: 'pcr-value',
    check: 'pcrsAreAsPinned',
    question: (challenge) => {
      const { policy, ...rest } = forge({}, challenge);
      return { ...rest, policy: { ...policy, pcrs: { ...policy.pcrs, 11: otherPin } } };
    },
  },
  attack('an addon to the image', 'pcr-value', 'emptyPcrsAreEmpty', {
    boot: boot({ events: [...GOOD_EVENTS, event(12, 0xd, 'init=/bin/sh')] }),
  }),
  attack('an addon that leads to a hash with a zero in it', 'pcr-value', 'emptyPcrsAreEmpty', {
    boot: boot({ events: [...GOOD_EVENTS, event(12, 0xd, withZero)] }),
  }),
  attack('an extension of the image', 'pcr-value', 'emptyPcrsAreEmpty', {
    boot: boot({ events: [...GOOD_EVENTS, event(13, 0xd, 'a sysext')] }),
  }),
  attack('Secure Boot that was off', 'secure-boot', 'secureBootIsOn', { boot: secureBootOff }),
  attack('Secure Boot that is only claimed after the firmware was done', 'event-type', 'eventsAreNamedRightly', { boot: secureBootLate }),
  attack('Secure Boot that is claimed in another PCR', 'secure-boot', 'secureBootIsOn', { boot: secureBootElsewhere }),
  ...RENAMED,
  ...HIDDEN,
  renamedWithoutSecureBoot,
  attack('no state of Secure Boot', 'secure-boot', 'secureBootIsOn', { boot: secureBootUnknown }),
  attack('something that a strange certificate allowed', 'authority', 'authoritiesAreKnown', {
    policy: { authorities: ['44'.repeat(32)] },
  }),
  attack('a boot that nothing is said to have allowed', 'authority', 'authoritiesAreKnown', {
    boot: boot({ events: GOOD_EVENTS.filter((each) => !isAuthority(each)) }),
    policy: { authorities: ['44'.repeat(32)] },
  }),
  attack('a TPM with another firmware', 'tpm-firmware', 'tpmFirmwareIsKnown', { policy: { tpm_firmware: ['0000000000000001'] } }),
  attack('a file that the policy does not list', 'ima-file', 'filesAreAllowed', {
    policy: { ima_files: { '/usr/bin/node': ['sha256:00'] } },
  }),
  attack('a file whose name is that of a property', 'ima-file', 'filesAreAllowed', {
    boot: boot({ files: [...GOOD_FILES, { path: 'constructor', hash: '66'.repeat(32) }] }),
    policy: { ima_files: listed },
  }),
  attack('a file after the files that the policy lists', 'ima-file', 'filesAreAllowed', {
    boot: boot({ files: [...GOOD_FILES, { path: '/new', hash: '66'.repeat(32) }] }),
    policy: { ima_files: listed },
  }),
  attack('a listed file with another content', 'ima-file', 'filesAreAllowed', {
    boot: boot({ files: [...GOOD_FILES, changedFile] }),
    policy: { ima_files: listed },
  }),
  attack('a file that is called as the first entry is', 'ima-file', 'filesAreAllowed', {
    boot: boot({ files: [...GOOD_FILES, { path: 'boot_aggregate', hash: hashed('sha256', 'a rootkit').toString('hex') }] }),
    policy: { ima_files: listed },
  }),
  attack('a first entry that is not of these PCRs', 'ima-file', 'filesAreAllowed', {
    boot: boot({ files: [{ path: 'boot_aggregate', hash: '66'.repeat(32) }, ...GOOD_FILES.slice(1)] }),
    policy: { ima_files: listed },
  }),
  attack('files without the entry that IMA begins with', 'ima-file', 'filesAreAllowed', {
    boot: boot({ files: GOOD_FILES.slice(1) }),
    policy: { ima_files: listed },
  }),
  attack('a kernel that measured nothing', 'ima-file', 'filesAreAllowed', {
    boot: boot({ files: [] }),
    policy: { ima_files: listed },
  }),
  attack('a file that changed while it was measured', 'ima-violation', 'filesAreAllowed', {
    boot: boot({ files: GOOD_FILES.map((file) => ({ ...file, isViolation: true as const })) }),
    policy: { ima_files: listed },
  }),
];

const huge = (log: Buffer, offset: number) => {
  const changed = Buffer.from(log);
  changed.writeUInt32LE(0xffffffff, offset);
  return changed;
};
const oversized = (what: string, evidence: Forgery['evidence'] & object): Attack => ({
  what,
  reason: 'malformed',
  question: (challenge) => forge({ evidence }, challenge),
});
const DEEP = `\x1e{"pcr":11,"digests":${'['.repeat(5000)}${']'.repeat(5000)}}\n`;
const LOG = writeEventLog(GOOD_EVENTS);

const SIZES: readonly Attack[] = [
  oversized('a firmware log above the limit', { event_log: Buffer.concat([LOG, Buffer.alloc(4 * 1024 * 1024)]) }),
  oversized('a firmware log whose header says 4 GiB', { event_log: huge(LOG, 28) }),
  oversized('a firmware log that lists 4 billion algorithms', { event_log: huge(LOG, 32 + 24) }),
  oversized('a firmware log with something after its last event', { event_log: Buffer.concat([LOG, Buffer.of(0)]) }),
  oversized('a firmware log that ends within an event', { event_log: LOG.subarray(0, -1) }),
  oversized('a userspace log above the limit', { userspace_log: Buffer.alloc(1024 * 1024 + 1, '\x1e') }),
  oversized('a userspace log of too many events', { userspace_log: Buffer.alloc(5000, '\x1e') }),
  oversized('a userspace log that is nested deeply', { userspace_log: Buffer.from(DEEP) }),
  oversized('an IMA log above the limit', { ima_log: Buffer.alloc(16 * 1024 * 1024 + 1, '\n') }),
  oversized('an IMA log of too many entries', { ima_log: Buffer.alloc(200_002, '\n') }),
  oversized('an IMA log whose last line has no end', { ima_log: writeImaLog(GOOD_FILES).subarray(0, -1) }),
  oversized('a quote with something after its end', { attest: Buffer.concat([forge().evidence.attest, Buffer.of(0)]) }),
];

export const ATTACKS: readonly Attack[] = [...IDENTITY, ...QUOTE, ...LOGS, ...EXPECTATIONS, ...SIZES];
