// SPDX-License-Identifier: Apache-2.0
import { QUOTED_PCRS } from './challenge.ts';
import { readEventLog } from './event-log/event-log.ts';
import type { Evidence } from './evidence.ts';
import { IMA_PCR, provenPart, readImaLog } from './ima-log.ts';
import { type LoggedEvent, loggedEvents } from './logged-events.ts';
import { EMPTY_PCRS, type Policy } from './policy.ts';
import { replayBoot } from './replay-boot.ts';
import type { Bank } from './tpm/algorithms.ts';
import { readUserspaceLog } from './userspace-log.ts';

/** Whether an event is in the evidence alone that was trusted last, in this one alone, or in both. */
type Mark = 'new' | 'gone' | '';

export interface ComparedPcr {
  readonly pcr: number;
  readonly expected: readonly string[];
  /** Whence the expected values are. */
  readonly from: string;
  readonly reported: string;
  /** What the logs lead to; empty for a PCR that they do not have to explain. */
  readonly replayed: string;
  /** Nothing at all is said of a PCR that is not pinned and not explained. */
  readonly state: 'as expected' | 'not as expected' | 'explained' | 'not explained' | 'unlogged';
  /** Where something is wrong: what the logs tell of it. */
  readonly events: readonly (LoggedEvent & { readonly mark: Mark })[];
}

/** What a policy expects of each PCR, what the node reported, and for a difference the events behind it. Judges no quote. Throws EVIDENCE_INVALID. */
export function comparePcrs(evidence: Evidence, policy: Policy, trusted: Evidence | undefined): readonly ComparedPcr[] {
  const bank = policy.pcr_bank;
  const now = loggedEvents(evidence, bank);
  const before = trusted && loggedEvents(trusted, bank);
  const replayed = replayedPcrs(evidence, bank);
  return QUOTED_PCRS.map((pcr) => {
    const reported = evidence.pcr_values[String(pcr)]?.toString('hex') ?? '';
    const { values: expected, from } = policy.pcrs[String(pcr)] ?? emptyUnless(policy, pcr, reported.length);
    const isUnlogged = policy.unlogged_pcrs.includes(pcr);
    const explanation = isUnlogged ? '' : (replayed.get(pcr)?.(reported) ?? '');
    const state = stateOf(expected, reported, explanation, isUnlogged);
    const isWrong = state === 'not as expected' || state === 'not explained';
    return { pcr, expected, from, reported, replayed: explanation, state, events: isWrong ? marked(pcr, now, before) : [] };
  });
}

function emptyUnless({ unpinned_pcrs }: Policy, pcr: number, digits: number) {
  const isEmpty = EMPTY_PCRS.some((each) => each === pcr) && !unpinned_pcrs.includes(pcr);
  return isEmpty ? { values: ['0'.repeat(digits)], from: 'empty' } : { values: [], from: '' };
}

function stateOf(expected: readonly string[], reported: string, replayed: string, isUnlogged: boolean): ComparedPcr['state'] {
  if (!isUnlogged && replayed !== reported) return 'not explained';
  if (expected.length > 0) return expected.includes(reported) ? 'as expected' : 'not as expected';
  return isUnlogged ? 'unlogged' : 'explained';
}

/** What the logs lead to in each PCR; in PCR 10 to whatever was reported, if any part of its log leads there. */
function replayedPcrs(evidence: Evidence, bank: Bank): ReadonlyMap<number, (reported: string) => string> {
  const boot = replayBoot(bank, readEventLog(evidence.event_log), readUserspaceLog(evidence.userspace_log, bank));
  const entries = readImaLog(evidence.ima_log);
  const ofIma = (reported: string) => (provenPart(bank, entries, Buffer.from(reported, 'hex')) ? reported : '');
  return new Map([...boot].map(([pcr, value]) => [pcr, pcr === IMA_PCR ? ofIma : () => value.toString('hex')]));
}

function marked(pcr: number, now: readonly LoggedEvent[], before: readonly LoggedEvent[] | undefined): ComparedPcr['events'] {
  const [mine, theirs] = [now, before ?? now].map((events) => events.filter((event) => event.pcr === pcr));
  const digests = (events: readonly LoggedEvent[] = []) => new Set(events.map(({ digest }) => digest));
  const [known, present] = [digests(theirs), digests(mine)];
  return [
    ...(mine ?? []).map((event) => ({ ...event, mark: known.has(event.digest) ? ('' as const) : ('new' as const) })),
    ...(theirs ?? []).filter(({ digest }) => !present.has(digest)).map((event) => ({ ...event, mark: 'gone' as const })),
  ];
}
