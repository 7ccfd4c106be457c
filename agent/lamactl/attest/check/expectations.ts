// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { eventName } from '../event-log/event-types.ts';
import { misnamedEvent, secureBoot } from '../event-log/secure-boot.ts';
import { IMA_PCR, type ImaEntry, provenPart } from '../ima-log.ts';
import { EMPTY_PCRS, REQUIRED_PCRS } from '../policy.ts';
import { rejected } from '../verdict.ts';
import { type BootFacts, type Check, quotedPcr } from './facts.ts';

const requiredPcrsArePinned: Check<BootFacts> = ({ policy }) => {
  const pcr = REQUIRED_PCRS.find((each) => !policy.pcrs[String(each)] && !policy.unpinned_pcrs.includes(each));
  return pcr === undefined
    ? undefined
    : rejected('policy-incomplete', `PCR ${pcr} has neither values nor is it in "unpinned_pcrs"`, { pcr });
};

const pcrsAreAsPinned: Check<BootFacts> = (facts) => {
  const other = Object.entries(facts.policy.pcrs).find(
    ([pcr, { values }]) => !values.includes(quotedPcr(facts, Number(pcr)).toString('hex')),
  );
  if (!other) return undefined;
  const [pcr, { values, from }] = other;
  const expected = `${values.join(' or ')} (from ${from})`;
  return rejected('pcr-value', `it is ${quotedPcr(facts, Number(pcr)).toString('hex')}, and not ${expected}`, { pcr: Number(pcr) });
};

/** What nobody expects may not be there: an addon or an extension changes what runs, and is not in the image. */
const emptyPcrsAreEmpty: Check<BootFacts> = (facts) => {
  const { pcrs, unpinned_pcrs: unpinned } = facts.policy;
  const unlooked = EMPTY_PCRS.filter((pcr) => !pcrs[String(pcr)] && !unpinned.includes(pcr));
  const pcr = unlooked.find((each) => quotedPcr(facts, each).some((octet) => octet !== 0));
  return pcr === undefined ? undefined : rejected('pcr-value', 'it holds addons or extensions, and the policy knows of none', { pcr });
};

/** Asked only where something is concluded from the types. */
const eventsAreNamedRightly: Check<BootFacts> = ({ policy, eventLog }) => {
  const event = policy.secure_boot === 'any' && !policy.authorities ? undefined : misnamedEvent(eventLog.events);
  if (!event) return undefined;
  const where = { pcr: event.pcr, event: `firmware event ${event.index} (${eventName(event.type)})` };
  return rejected('event-type', 'its type does not follow from its data', where);
};

const secureBootIsOn: Check<BootFacts> = ({ policy, eventLog }) => {
  if (policy.secure_boot === 'any') return undefined;
  const { enabled } = secureBoot(eventLog.events);
  return enabled
    ? undefined
    : rejected('secure-boot', enabled === false ? 'it was off' : 'the log does not say, or says two things', { pcr: 7 });
};

const authoritiesAreKnown: Check<BootFacts> = ({ policy: { authorities }, eventLog }) => {
  if (!authorities) return undefined;
  const found = secureBoot(eventLog.events).authorities;
  if (found.length === 0) return rejected('authority', 'the log names none', { pcr: 7 });
  const stranger = found.find((authority) => !authorities.includes(authority));
  return stranger === undefined ? undefined : rejected('authority', `it has SHA-256 ${stranger}`, { pcr: 7 });
};

const tpmFirmwareIsKnown: Check<BootFacts> = ({ policy, attest }) => {
  const version = attest.firmwareVersion.toString(16).padStart(16, '0');
  return !policy.tpm_firmware || policy.tpm_firmware.includes(version) ? undefined : rejected('tpm-firmware', `it is ${version}`);
};

/** Of the part of the log that the quote proves. */
const filesAreAllowed: Check<BootFacts> = (facts) => {
  const { imaEntries, challenge, policy } = facts;
  const files = policy.ima_files;
  if (!files) return undefined;
  const [first, ...others] = provenPart(challenge.bank, imaEntries, quotedPcr(facts, IMA_PCR)) ?? [];
  if (!first) return rejected('ima-file', 'nothing was measured, so that anything may have run', { pcr: IMA_PCR });
  const isGood = (entry: ImaEntry) => !entry.isViolation && (entry === first ? isBootAggregate(facts, entry) : isAllowed(files, entry));
  const entry = [first, ...others].find((each) => !isGood(each));
  if (!entry) return undefined;
  const where = { pcr: IMA_PCR, event: `IMA line ${entry.line}` };
  return entry.isViolation
    ? rejected('ima-violation', entry.path, where)
    : rejected('ima-file', `${entry.path} with ${entry.fileHash}`, where);
};

const AGGREGATED_PCRS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

/**
 * IMA's first entry is no file but the hash of the boot's PCRs (the kernel's ima_calc_boot_aggregate). A file of that name may come
 * later and is as any other. Of another bank than the quoted one there is nothing to compare it with.
 */
function isBootAggregate(facts: BootFacts, { path, fileHash }: ImaEntry): boolean {
  const { bank } = facts.challenge;
  if (path !== 'boot_aggregate') return false;
  if (!fileHash.startsWith(`${bank}:`)) return true;
  const values = Buffer.concat(AGGREGATED_PCRS.map((pcr) => quotedPcr(facts, pcr)));
  return fileHash === `${bank}:${createHash(bank).update(values).digest('hex')}`;
}

function isAllowed(files: Readonly<Record<string, readonly string[]>>, { path, fileHash }: ImaEntry): boolean {
  return Object.hasOwn(files, path) && files[path]?.includes(fileHash) === true;
}

/** Whether what happened is what the policy expects. */
export const EXPECTATION_CHECKS: readonly Check<BootFacts>[] = [
  requiredPcrsArePinned,
  pcrsAreAsPinned,
  emptyPcrsAreEmpty,
  eventsAreNamedRightly,
  secureBootIsOn,
  authoritiesAreKnown,
  tpmFirmwareIsKnown,
  filesAreAllowed,
];
