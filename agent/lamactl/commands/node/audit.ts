// SPDX-License-Identifier: Apache-2.0
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type AuditChain, CHAIN_START, checkAuditChain } from '../../../shared/audit-chain.ts';
import { type ExitName, worst } from '../../exit-code.ts';
import { readInput } from '../../input-file.ts';
import { renderDocument } from '../../output/document.ts';
import { type Cell, table } from '../../output/table.ts';
import { helpAfter, NODE_EXITS } from '../help.ts';
import { askAndPrint, given } from '../print-answers.ts';
import type { Run, Session } from '../session.ts';

const MAX_FILE_BYTES = 64 << 20;
const USUAL_TIMEOUT_MS = 60_000;

interface Options {
  readonly file?: readonly string[];
  readonly head?: string;
}

export function addAudit(program: Command, run: Run): void {
  const audit = program
    .command('audit')
    .summary('verify who did what')
    .description("Verify a node's record of every call that changed it, or was refused to.")
    .addHelpText('after', helpAfter([['lamactl audit verify --all', 'of every node']], ['done', 'rejected', ...NODE_EXITS]));
  audit
    .command('verify')
    .summary('verify that no line of the audit log was changed or taken out')
    .description(
      'Verify that each line of the audit log follows from the one before it, and tell those that do not. Whoever is root on a node can write its whole log anew: keep the head that is told here elsewhere, and hold later logs against it with --head.',
    )
    .addOption(new Option('--file <file...>', 'copies of audit.log and of what was put aside, oldest first; no node is asked'))
    .addOption(new Option('--head <sha256>', 'a head that was told before: the log must still hold its line').argParser(sha256))
    .addHelpText(
      'after',
      helpAfter(
        [
          ['lamactl audit verify -n attic', 'ask the node for its log'],
          ['lamactl audit verify --file audit.log.1 audit.log', 'copies of the files, without a network'],
        ],
        ['done', 'rejected', ...NODE_EXITS],
      ),
    )
    .action((options: Options, command: Command) => run(command, (session) => verify(session, options)));
}

function sha256(text: string): string {
  if (!/^[0-9a-f]{64}$/.test(text)) throw new InvalidArgumentError('Say a SHA-256 in lower-case hexadecimal.');
  return text;
}

interface Verified extends AuditChain {
  /** Whether the line of --head is there; true when none was asked for. */
  readonly holdsHead: boolean;
}

function verify(session: Session, { file, head }: Options): Promise<ExitName> {
  if (file) return verifyFiles(session, file, head);
  return askAndPrint(session, session.timeoutMs(USUAL_TIMEOUT_MS), (node) => verified(node.auditLog(), head), {
    document: (chain) => chain,
    text: (answers) => verdicts(session, given(answers)),
    exit: exitOf,
  });
}

async function verifyFiles(session: Session, files: readonly string[], head: string | undefined): Promise<ExitName> {
  const texts = await Promise.all(files.map((file) => readInput(file, MAX_FILE_BYTES)));
  const chain = await verified(Buffer.concat(texts).toString('utf8').split('\n'), head);
  const { format, world } = session;
  world.stdout.write(
    format === 'table' ? verdicts(session, [{ node: files.join(', '), value: chain }]) : await renderDocument(format, { files, ...chain }),
  );
  return worst([exitOf(chain)]);
}

async function verified(lines: AsyncIterable<string> | Iterable<string>, head: string | undefined): Promise<Verified> {
  let holdsHead = head === undefined;
  const chain = await checkAuditChain(lines, (hash) => {
    holdsHead ||= hash === head;
  });
  // What follows the head itself proves that the head's line was there.
  return { ...chain, holdsHead: holdsHead || chain.follows === head };
}

const exitOf = ({ breakCount, holdsHead }: Verified): ExitName => (breakCount > 0 || !holdsHead ? 'rejected' : 'done');

function verdicts({ paint }: Session, all: readonly { readonly node: string; readonly value: Verified }[]): string {
  const rows = all.map(({ node, value }): readonly Cell[] => [node, String(value.lines), verdictCell(value), value.head]);
  return table(paint, ['LOG OF', 'LINES', 'CHAIN', 'HEAD'], rows);
}

const SHOWN_BREAKS = 3;

function verdictCell({ breaks, breakCount, cutOff, holdsHead, follows }: Verified): Cell {
  if (breakCount > 0) {
    const shown = breaks.slice(0, SHOWN_BREAKS).map(({ line, why }) => `at line ${line}: ${why}`);
    const more = breakCount > shown.length ? [`in ${breakCount - shown.length} other places`] : [];
    return { text: `broken ${[...shown, ...more].join('; ')}`, style: 'bad' };
  }
  if (!holdsHead) return { text: 'whole, but without the line of --head: lines were taken away', style: 'bad' };
  const beginning = follows === CHAIN_START ? 'whole, from the first line on' : 'whole; what came before it is no longer kept';
  const cut = cutOff > 0 ? `; ${cutOff} cut off by a power cut or a full disk` : '';
  return { text: `${beginning}${cut}`, style: 'good' };
}
