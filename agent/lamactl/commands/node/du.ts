// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import { formatSize } from '../../../shared/size.ts';
import type { ExitName } from '../../exit-code.ts';
import type { DiskUsage, FileSystem } from '../../node/node-details.ts';
import { type Cell, table } from '../../output/table.ts';
import { helpAfter, NODE_EXITS } from '../help.ts';
import { pollAndPrint } from '../poll-and-print.ts';
import { given } from '../print-answers.ts';
import type { Run, Session } from '../session.ts';

export function addDu(program: Command, run: Run): void {
  program
    .command('du')
    .summary('show how full the disks are, and what the agent takes of them')
    .description("Show how full the file systems on the disks of each node are, and what the agent's own folders and the log take of them.")
    .addHelpText(
      'after',
      helpAfter(
        [
          ['lamactl du -n attic', 'one node'],
          ['lamactl du --all -o json', 'every node, in bytes'],
        ],
        ['done', ...NODE_EXITS],
      ),
    )
    .action((_options: unknown, command: Command) => run(command, du));
}

function du(session: Session): Promise<ExitName> {
  return pollAndPrint(session, 'usage', (usage) => usage, {
    document: (usage) => usage,
    text: (answers) => usageText(session, given(answers)),
    exit: ({ fileSystems }) => (fileSystems.every(({ capacity }) => capacity) ? 'done' : 'unknown'),
  });
}

type Given = ReturnType<typeof given<DiskUsage>>;

function usageText({ paint }: Session, nodes: Given): string {
  const fileSystems = nodes.flatMap(({ node, value }) => value.fileSystems.map((each) => fileSystemRow(node, each)));
  const folders = nodes.flatMap(({ node, value }) =>
    value.folders.map(({ path, description, usedBytes, files, complete }): readonly Cell[] => {
      return [node, path, `${complete ? '' : '≥ '}${formatSize(usedBytes)}`, String(files), description];
    }),
  );
  const headings = ['NODE', 'MOUNTED ON', 'SIZE', 'USED', 'AVAILABLE', 'USE', 'INODES', 'TYPE', 'DEVICE'];
  return `${table(paint, headings, fileSystems)}\n${table(paint, ['NODE', 'FOLDER', 'USED', 'FILES', 'HOLDS'], folders)}`;
}

const NEARLY_FULL_PERCENT = 90;

function fileSystemRow(node: string, { mountPoint, device, type, readOnly, capacity }: FileSystem): readonly Cell[] {
  const kind = readOnly ? `${type} (read-only)` : type;
  if (!capacity) return [node, mountPoint, 'unknown', '', '', '', '', kind, device];
  const { sizeBytes, usedBytes, availableBytes, inodes, freeInodes } = capacity;
  const use = percentage(usedBytes, usedBytes + availableBytes);
  const inodesUse = percentage(inodes - freeInodes, inodes);
  // An image is as full as it was made.
  const shown = (percent: number | undefined): Cell => {
    const text = percent === undefined ? '' : `${percent}%`;
    return !readOnly && (percent ?? 0) >= NEARLY_FULL_PERCENT ? { text, style: 'warning' } : text;
  };
  const sizes = [sizeBytes, usedBytes, availableBytes].map((bytes) => formatSize(bytes));
  return [node, mountPoint, ...sizes, shown(use), shown(inodesUse), kind, device];
}

function percentage(part: number, whole: number): number | undefined {
  return whole > 0 ? Math.ceil((part / whole) * 100) : undefined;
}
