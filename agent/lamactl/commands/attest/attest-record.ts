// SPDX-License-Identifier: Apache-2.0
import { type Command, Option } from 'commander';
import type { Verdict } from '../../attest/verdict.ts';
import { type ExitName, worst } from '../../exit-code.ts';
import { renderDocument } from '../../output/document.ts';
import { type Cell, table } from '../../output/table.ts';
import { localTime } from '../../output/time.ts';
import { verdictFacts, verdictStyle } from '../../output/verdict-text.ts';
import type { RecordedVerdict } from '../../trust/evidence-record.ts';
import { helpAfter } from '../help.ts';
import { sha256 } from '../options.ts';
import type { Run, Session } from '../session.ts';

interface Options {
  readonly file: string;
  readonly head?: string;
}

export function addAttestRecord(attest: Command, run: Run): void {
  attest
    .command('record')
    .summary('judge a record of the past again')
    .description(
      'Read a record that "attest run --record" wrote, and judge all of its evidence again by the policies of then. Needs no TPM, no network and no context. A line that was changed, or taken out between others, ends it; whether lines at its end are missing, only the hash of the last one tells: keep it elsewhere.',
    )
    .requiredOption('--file <file>', 'the record')
    .addOption(new Option('--head <sha256>', 'a hash that was told as that of the last line: the record must hold it').argParser(sha256))
    .addHelpText(
      'after',
      helpAfter(
        [['lamactl attest record --file fleet.jsonl', 'years later, on any machine']],
        ['done', 'rejected', 'configuration', 'usage'],
      ),
    )
    .action((options: Options, command: Command) => run(command, (session) => judgeRecord(session, options)));
}

interface Rejudged {
  readonly line: number;
  readonly node: string;
  readonly time: string;
  readonly then: Verdict;
  readonly now: Verdict;
  readonly agrees: boolean;
}

async function judgeRecord({ world, format, paint }: Session, { file, head }: Options): Promise<ExitName> {
  const { readRecord } = await import('../../trust/evidence-record.ts');
  const rejudged: Rejudged[] = [];
  let last = '';
  let holdsHead = head === undefined;
  for await (const recorded of readRecord(file)) {
    rejudged.push(await judgeAgain(recorded));
    last = recorded.sha256;
    holdsHead ||= last === head;
  }
  const rows = rejudged.map(({ line, node, time, then, now, agrees }): readonly Cell[] => [
    String(line),
    localTime(time),
    node,
    told(then),
    agrees ? 'the same' : told(now),
  ]);
  const text = `${table(paint, ['LINE', 'TIME', 'NODE', 'VERDICT', 'JUDGED AGAIN'], rows)}\nHead  ${last}\n`;
  world.stdout.write(format === 'table' ? text : await renderDocument(format, { verdicts: rejudged, head: last }));
  if (!holdsHead) world.stderr.write(`lamactl: ${file} does not hold the line ${head}: lines were taken away at its end\n`);
  return worst([holdsHead && rejudged.every(({ agrees }) => agrees) ? 'done' : 'rejected']);
}

/** The nonce was checked by whoever asked; what the file says that it answers is taken from it. */
async function judgeAgain({ line, node, time, verdict: then, evidence, policy }: RecordedVerdict): Promise<Rejudged> {
  const { claimedChallenge } = await import('../../attest/challenge.ts');
  const { verify } = await import('../../attest/verify.ts');
  const now = evidence && policy ? verify({ evidence, policy, challenge: claimedChallenge(evidence, policy.pcr_bank) }) : then;
  return { line, node, time, then, now, agrees: essence(then) === essence(now) };
}

/** What has to be the same: the words in which it is told may change from one lamactl to the next. */
function essence(verdict: Verdict): string {
  const { reason, pcr, image, believed } = verdictFacts(verdict);
  return [verdict.verdict, reason, pcr, image, believed].join('\n');
}

function told(verdict: Verdict): Cell {
  const { reason, image } = verdictFacts(verdict);
  const more = [reason, image].filter((each) => each !== '').join(', ');
  return { text: `${verdict.verdict}${more && ` (${more})`}`, style: verdictStyle(verdict) };
}
