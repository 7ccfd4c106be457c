// SPDX-License-Identifier: Apache-2.0
import { type Command, Option } from 'commander';
import type { ExitName } from '../../exit-code.ts';
import type { Answer } from '../../fleet/ask.ts';
import type { NodeConnection, Target } from '../../node/node.ts';
import { type AuditEntry, auditEntryIn } from '../../node/node-audit.ts';
import { chainCell, entryCells } from '../../output/audit-text.ts';
import { type Cell, table } from '../../output/table.ts';
import { type CheckedLog, checkNodeLog, isSound } from '../../trust/audit-check.ts';
import { type AuditHeads, openAuditHeads } from '../../trust/audit-heads.ts';
import { helpAfter, NODE_EXITS } from '../help.ts';
import { count, moment } from '../options.ts';
import { askAndPrint, given } from '../print-answers.ts';
import { type Run, type Session, WORK_TIMEOUT_MS } from '../session.ts';
import { merged } from '../streams.ts';
import { addAuditVerify, auditExit } from './audit-verify.ts';

interface Options {
  readonly limit: number;
  readonly since?: Date | number;
  readonly caller?: string;
}

export function addAudit(program: Command, run: Run): void {
  const audit = program
    .command('audit')
    .summary('show who did what, and verify it')
    .description(
      'Show the calls that changed each node, or were refused to, of several nodes in the order of time: who called, what, and what came of it. Each log is verified as a whole while it is read, and held against what lamactl remembers of it. -o json has the requests, too.',
    )
    .addOption(new Option('--since <when>', 'calls since then: 2h (ago), or a time such as 2026-11-20T03:00Z').argParser(moment))
    .option('--caller <name>', 'calls of one alone')
    .option('--limit <count>', 'the newest so many of each node', count, 50)
    .addHelpText(
      'after',
      helpAfter(
        [
          ['lamactl audit --all', 'the last 50 calls of each node'],
          ['lamactl audit --all --caller bob --since 7d -o json', 'what Bob did this week'],
          ['lamactl audit verify --all', 'whether the logs are whole, and no more'],
        ],
        ['done', 'rejected', 'deadline', ...NODE_EXITS],
      ),
    )
    .action((options: Options, command: Command) => run(command, (session) => show(session, options)));
  addAuditVerify(audit, run);
}

interface ReadLog {
  readonly log: CheckedLog;
  readonly entries: readonly AuditEntry[];
}

async function show(session: Session, options: Options): Promise<ExitName> {
  const { clock, env, homeDirectory } = session.world;
  const heads = await openAuditHeads(session.context, env, homeDirectory);
  const wanted = wantedBy(options, clock.now());
  return askAndPrint(session, session.timeoutMs(WORK_TIMEOUT_MS), (node, target) => read(node, target, heads, clock.now(), wanted), {
    document: ({ log, entries }) => ({ entries, ...log }),
    text: (answers) => text(session, answers),
    exit: ({ log }) => auditExit(log),
  });
}

/** Which of all entries, oldest first, are to be shown. */
interface Wanted {
  readonly limit: number;
  matches(entry: AuditEntry): boolean;
}

function wantedBy({ limit, since, caller }: Options, nowMs: number): Wanted {
  const sinceMs = typeof since === 'number' ? nowMs - since : (since?.getTime() ?? 0);
  return { limit, matches: (entry) => Date.parse(entry.at) >= sinceMs && (caller === undefined || entry.caller === caller) };
}

async function read(
  node: NodeConnection,
  { name }: Target,
  heads: AuditHeads,
  nowMs: number,
  { limit, matches }: Wanted,
): Promise<ReadLog> {
  const entries: AuditEntry[] = [];
  async function* noted(lines: AsyncIterable<string>): AsyncGenerator<string> {
    for await (const line of lines) {
      const entry = auditEntryIn(line);
      if (entry && matches(entry)) entries.push(entry);
      if (entries.length > limit) entries.shift();
      yield line;
    }
  }
  const log = await checkNodeLog(noted(node.auditLog()), { heads, node: name, nowMs, acceptNew: false });
  return { log, entries };
}

function text({ paint, wide }: Session, answers: readonly Answer<ReadLog>[]): string {
  const told = merged(answers.map((answer) => (answer.ok ? { ...answer, value: answer.value.entries } : answer)));
  const headings = ['TIME', 'NODE', 'WHO', 'CALL', 'RESULT', ...(wide ? ['REQUEST'] : [])];
  const rows = told.map(({ node, item }): readonly Cell[] => [...entryCells(node, item), ...(wide ? [JSON.stringify(item.request)] : [])]);
  const unsound = given(answers).filter(({ value }) => !isSound(value.log));
  const warnings = unsound.map(({ node, value }): readonly Cell[] => [node, chainCell(value.log)]);
  return [
    rows.length > 0 ? table(paint, headings, rows) : 'No such calls are on record.\n',
    warnings.length > 0 ? `\n${table(paint, ['LOG OF', 'CHAIN'], warnings)}` : '',
  ].join('');
}
