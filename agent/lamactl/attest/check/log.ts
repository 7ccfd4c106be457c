// SPDX-License-Identifier: Apache-2.0
import { QUOTED_PCRS } from '../challenge.ts';
import { hasUncoveredData } from '../event-log/covered-data.ts';
import { type FirmwareEvent, SPEC_ID_SIGNATURE } from '../event-log/event-log.ts';
import { EVENT, eventName } from '../event-log/event-types.ts';
import { misplacedLocality } from '../event-log/startup-locality.ts';
import { IMA_PCR, provenPart } from '../ima-log.ts';
import { replayBoot } from '../replay-boot.ts';
import { hasUncoveredText } from '../userspace-log.ts';
import { type Reason, type Rejection, rejected } from '../verdict.ts';
import { type BootFacts, type Check, quotedPcr } from './facts.ts';

/** PCRs that the firmware ends with a separator when it hands over: PC Client Platform Firmware Profile 1.06, 3.3.4. */
const FIRMWARE_PCRS = [0, 1, 2, 3, 4, 5, 6, 7];

const logHasStrongBank: Check<BootFacts> = ({ eventLog, evidence }) =>
  evidence.event_log.length > 0 && eventLog.banks.size === 0 ? rejected('sha1-only', 'the firmware event log has SHA-1 alone') : undefined;

/** A bank that the firmware leaves alone can be extended with whatever a good boot would have been (CVE-2021-42299). */
const firmwareExtendedBank: Check<BootFacts> = (facts) => {
  const { eventLog, challenge } = facts;
  if (!eventLog.banks.has(challenge.bank)) return rejected('unextended-bank', `the firmware event log has no digests of ${challenge.bank}`);
  const untouched = FIRMWARE_PCRS.find((pcr) => isReset(quotedPcr(facts, pcr)));
  if (untouched !== undefined) return rejected('unextended-bank', `PCR ${untouched} is as after a reset`, { pcr: untouched });
  const open = FIRMWARE_PCRS.find((pcr) => !eventLog.events.some((event) => event.pcr === pcr && event.type === EVENT.SEPARATOR));
  return open === undefined ? undefined : rejected('unextended-bank', `PCR ${open} has no separator`, { pcr: open });
};

/** Zero but for the locality at its end. */
function isReset(value: Buffer): boolean {
  return value.subarray(0, -1).every((octet) => octet === 0);
}

/** 10.4.1: EV_NO_ACTION is not extended, so that a digest of it can only mislead. */
const noActionIsEmpty: Check<BootFacts> = ({ eventLog }) =>
  at(
    'no-action',
    'its digest is not zero',
    eventLog.events.find(({ type, digestsAreZero }) => type === EVENT.NO_ACTION && !digestsAreZero),
  );

const logIsOne: Check<BootFacts> = ({ eventLog }) => at('recursive-log', 'another Spec ID event', eventLog.events.find(isSpecId));

function isSpecId({ data }: FirmwareEvent): boolean {
  return data.subarray(0, SPEC_ID_SIGNATURE.length).equals(Buffer.from(SPEC_ID_SIGNATURE, 'latin1'));
}

const localityIsInPlace: Check<BootFacts> = ({ eventLog }) =>
  at('startup-locality', 'a StartupLocality event', misplacedLocality(eventLog.events));

const dataIsMeasured: Check<BootFacts> = ({ eventLog, challenge: { bank } }) =>
  at(
    'uncovered-data',
    'its digest is not the hash of its data',
    eventLog.events.find((event) => hasUncoveredData(event, bank)),
  );

const textIsMeasured: Check<BootFacts> = ({ userspaceEvents, challenge: { bank } }) => {
  const event = userspaceEvents.find((each) => hasUncoveredText(each, bank));
  const where = event && { pcr: event.pcr, event: `userspace event ${event.index} (${event.type})` };
  return where && rejected('uncovered-data', 'its digest is not the hash of its text', where);
};

const logsLeadToPcrs: Check<BootFacts> = (facts) => {
  const { challenge, eventLog, userspaceEvents, policy } = facts;
  const replayed = replayBoot(challenge.bank, eventLog, userspaceEvents);
  const explained = QUOTED_PCRS.filter((pcr) => pcr !== IMA_PCR && !policy.unlogged_pcrs.includes(pcr));
  const pcr = explained.find((each) => !replayed.get(each)?.equals(quotedPcr(facts, each)));
  if (pcr === undefined) return undefined;
  const found = `the logs lead to ${replayed.get(pcr)?.toString('hex')}, and ${quotedPcr(facts, pcr).toString('hex')} was quoted`;
  return rejected('log-mismatch', found, { pcr });
};

const imaLogLeadsToPcr: Check<BootFacts> = (facts) => {
  const { challenge, imaEntries, policy } = facts;
  if (policy.unlogged_pcrs.includes(IMA_PCR) || provenPart(challenge.bank, imaEntries, quotedPcr(facts, IMA_PCR))) return undefined;
  return rejected('ima-log-mismatch', `${imaEntries.length} entries lead elsewhere`, { pcr: IMA_PCR });
};

/** Whether the logs are what happened. */
export const LOG_CHECKS: readonly Check<BootFacts>[] = [
  logHasStrongBank,
  firmwareExtendedBank,
  noActionIsEmpty,
  logIsOne,
  localityIsInPlace,
  dataIsMeasured,
  textIsMeasured,
  logsLeadToPcrs,
  imaLogLeadsToPcr,
];

function at(reason: Reason, found: string, event: FirmwareEvent | undefined): Rejection | undefined {
  return event && rejected(reason, found, { pcr: event.pcr, event: `firmware event ${event.index} (${eventName(event.type)})` });
}
