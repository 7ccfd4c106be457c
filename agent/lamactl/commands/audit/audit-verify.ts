// SPDX-License-Identifier: Apache-2.0
import { type Command, Option } from 'commander';
import { type ExitName, worst } from '../../exit-code.ts';
import { readInput } from '../../input-file.ts';
import { chainCell } from '../../output/audit-text.ts';
import { renderDocument } from '../../output/document.ts';
import { type Cell, table } from '../../output/table.ts';
import { type CheckedLog, checkCopies, checkNodeLog, isSound } from '../../trust/audit-check.ts';
import { openAuditHeads } from '../../trust/audit-heads.ts';
import { helpAfter, NODE_EXITS } from '../help.ts';
import { sha256 } from '../options.ts';
import { askAndPrint, given } from '../print-answers.ts';
import { type Run, type Session, WORK_TIMEOUT_MS } from '../session.ts';

const MAX_FILE_BYTES = 64 << 20;

interface Options {
  readonly file?: readonly string[];
  readonly head?: string;
  readonly acceptNew?: true;
}

export function addAuditVerify(audit: Command, run: Run): void {
  audit
    .command('verify')
    .summary('verify that no line of the audit log was changed or taken out')
    .description(
      'Verify that each line of the audit log follows from the one before it, and tell those that do not. Whoever is root on a node can write its whole log anew: lamactl remembers the last line of each, and tells when a later log is without it.',
    )
    .addOption(new Option('--file <file...>', 'copies of audit.log and of what was put aside, oldest first; no node is asked'))
    .addOption(new Option('--head <sha256>', 'a head that was told elsewhere: the log must still hold its line').argParser(sha256))
    .option('--accept-new', 'believe a log that is without the line that lamactl remembers, and go on from it')
    .addHelpText(
      'after',
      helpAfter(
        [
          ['lamactl audit verify --all', 'ask every node for its log'],
          ['lamactl audit verify --file audit.log.1 audit.log', 'copies of the files, without a network'],
        ],
        ['done', 'rejected', ...NODE_EXITS],
      ),
    )
    .action((options: Options, command: Command) => run(command, (session) => verify(session, options)));
}

async function verify(session: Session, { file, head, acceptNew }: Options): Promise<ExitName> {
  if (file) return verifyFiles(session, file, head);
  const { clock, env, homeDirectory } = session.world;
  const heads = await openAuditHeads(session.context, env, homeDirectory);
  return askAndPrint(
    session,
    session.timeoutMs(WORK_TIMEOUT_MS),
    (node, { name }) => checkNodeLog(node.auditLog(), { heads, node: name, nowMs: clock.now(), acceptNew: acceptNew === true }, head),
    { document: (log) => log, text: (answers) => verdicts(session, given(answers)), exit: auditExit },
  );
}

async function verifyFiles(session: Session, files: readonly string[], head: string | undefined): Promise<ExitName> {
  const texts = await Promise.all(files.map((file) => readInput(file, MAX_FILE_BYTES)));
  const log = await checkCopies(Buffer.concat(texts).toString('utf8').split('\n'), head);
  const { format, world } = session;
  world.stdout.write(
    format === 'table' ? verdicts(session, [{ node: files.join(', '), value: log }]) : await renderDocument(format, { files, ...log }),
  );
  return worst([auditExit(log)]);
}

/** How a command ends that read an audit log. */
export const auditExit = (log: CheckedLog): ExitName => (isSound(log) ? 'done' : 'rejected');

function verdicts({ paint }: Session, all: readonly { readonly node: string; readonly value: CheckedLog }[]): string {
  const rows = all.map(({ node, value }): readonly Cell[] => [node, String(value.lines), chainCell(value), value.head]);
  return table(paint, ['LOG OF', 'LINES', 'CHAIN', 'HEAD'], rows);
}
