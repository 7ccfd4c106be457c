// SPDX-License-Identifier: Apache-2.0
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { ExitName } from '../../exit-code.ts';
import { LOG_PRIORITIES, type LogEntry, type LogPriority, type LogQuery } from '../../node/node-log.ts';
import type { Paint, Style } from '../../output/colour.ts';
import { localTime } from '../../output/time.ts';
import { helpAfter, NODE_EXITS } from '../help.ts';
import { count, moment } from '../options.ts';
import { askAndPrint } from '../print-answers.ts';
import { type Run, type Session, WORK_TIMEOUT_MS } from '../session.ts';
import { collect, merged } from '../streams.ts';
import { followNodes } from '../update/follow-nodes.ts';

export function addLogs(program: Command, run: Run): void {
  program
    .command('logs')
    .summary("show the nodes' logs, or follow them")
    .description(
      'Show the log of each node, which is the journal of systemd: its newest entries, of several nodes in the order of their times. With --follow, go on with each new entry, through reboots, until Ctrl-C.',
    )
    .option('-f, --follow', 'go on with new entries')
    .option('-u, --unit <unit>', 'entries of this unit; repeat it for others', collectUnit, [])
    .addOption(
      new Option('-p, --priority <priority>', 'entries that matter at least as much')
        // For help and completion; the names of the protocol and numbers are understood as well.
        .choices(SHORT_NAMES)
        .argParser(priority),
    )
    .addOption(new Option('--since <when>', 'entries since then: 2h (ago), or a time such as 2026-11-20T03:00Z').argParser(moment))
    .addOption(new Option('--boot [boot]', 'entries of this boot, of -1 for the one before, or of a boot id').argParser(boot).preset('0'))
    .option('--after-cursor <cursor>', 'entries after the one with this cursor', '')
    .option(
      '--lines <count>',
      'the newest so many of each node (default: 100); with --after-cursor the first so many (default: all)',
      count,
    )
    .addHelpText(
      'after',
      helpAfter(
        [
          ['lamactl logs -n attic -u k3s -p warning --since 2h', 'what went wrong lately'],
          ['lamactl logs -n attic --boot -1', 'the end of the boot before'],
          ['lamactl logs --all -f -p err', 'errors anywhere, as they come'],
        ],
        ['done', 'refused', 'deadline', ...NODE_EXITS],
      ),
    )
    .action((options: LogOptions, command: Command) => run(command, (session) => logs(session, options)));
}

const USUAL_LINES = 100;

interface LogOptions {
  readonly follow?: true;
  readonly unit: readonly string[];
  readonly priority?: LogPriority;
  /** A moment, or how long ago in milliseconds. */
  readonly since?: Date | number;
  readonly boot?: string;
  readonly afterCursor: string;
  readonly lines?: number;
}

function logs(session: Session, options: LogOptions): Promise<ExitName> {
  const sinceTime = typeof options.since === 'number' ? new Date(session.world.clock.now() - options.since) : options.since;
  const query: LogQuery = {
    units: options.unit,
    priority: options.priority ?? 'unknown',
    ...(sinceTime && { since: sinceTime }),
    boot: options.boot ?? '',
    afterCursor: options.afterCursor,
    lines: options.lines ?? (options.afterCursor === '' ? USUAL_LINES : 0),
    follow: options.follow === true,
  };
  return query.follow ? follow(session, query) : newest(session, query);
}

function follow(session: Session, query: LogQuery): Promise<ExitName> {
  return followNodes<LogEntry>(session, {
    open: (node, cursor) => node.readLog({ ...query, afterCursor: cursor || query.afterCursor }),
    document: (entry) => ({ type: 'entry', entry }),
    text: (node, entry) => entryText(session.paint, node, entry),
  });
}

function newest(session: Session, query: LogQuery): Promise<ExitName> {
  return askAndPrint(session, session.timeoutMs(WORK_TIMEOUT_MS), async (node) => collect(node.readLog(query)), {
    document: (entries) => ({ entries }),
    text: (answers) =>
      merged(answers)
        .map(({ node, item }) => entryText(session.paint, node, item))
        .join(''),
    exit: () => 'done',
  });
}

const STYLES: Readonly<Partial<Record<LogPriority, Style>>> = {
  emergency: 'bad',
  alert: 'bad',
  critical: 'bad',
  error: 'bad',
  warning: 'warning',
  notice: 'heading',
  debug: 'faint',
};

/** A line, and below it the further lines of its message, set off so that none can pass for an entry. */
function entryText(paint: Paint, node: string, entry: LogEntry): string {
  const who = `${oneWord(entry.identifier || entry.unit || 'unknown')}${entry.pid > 0 ? `[${entry.pid}]` : ''}`;
  const said = entry.messageLeftOut ? '(a message of more than 4 KiB: it is in the journal on the node)' : entry.message.trimEnd();
  const style = STYLES[entry.priority];
  const message = said.split('\n').join('\n    ');
  return `${paint('faint', localTime(entry.at))} ${node} ${who}: ${style ? paint(style, message) : message}\n`;
}

function oneWord(text: string): string {
  return text.replace(/\s+/g, '_');
}

function collectUnit(unit: string, units: readonly string[]): readonly string[] {
  return [...units, unit.includes('.') ? unit : `${unit}.service`];
}

/** journalctl's names, beside those of the protocol. */
const SHORT_NAMES = ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug'];

function priority(text: string): LogPriority {
  const names = LOG_PRIORITIES.slice(1);
  const found = names.find((name, index) => text === name || text === SHORT_NAMES[index] || text === String(index));
  if (found) return found;
  throw new InvalidArgumentError(`Say one of ${SHORT_NAMES.join(', ')}.`);
}

function boot(text: string): string {
  if (/^(?:0|-\d{1,4})$/.test(text) || /^[0-9a-f-]{32,36}$/i.test(text)) return text;
  throw new InvalidArgumentError('Say 0 for this boot, -1 for the one before, or a boot id.');
}
