// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import { formatSize } from '../../../shared/size.ts';
import type { ExitName } from '../../exit-code.ts';
import type { Answer } from '../../fleet/ask.ts';
import type { Inventory } from '../../node/node-details.ts';
import { type Cell, facts, table } from '../../output/table.ts';
import { localTime } from '../../output/time.ts';
import { helpAfter, NODE_EXITS } from '../help.ts';
import { askAndPrint } from '../print-answers.ts';
import { type Run, type Session, WORK_TIMEOUT_MS } from '../session.ts';

export function addInventory(program: Command, run: Run): void {
  program
    .command('inventory')
    .summary('show the hardware of the nodes')
    .description(
      'Show the hardware of each node, as its agent found it from its sandbox when somebody first asked. What it cannot see is unknown. One node alone is shown with its disks and network interfaces.',
    )
    .option('--refresh', 'have the nodes look again')
    .addHelpText(
      'after',
      helpAfter(
        [
          ['lamactl inventory --all', 'a line for each node'],
          ['lamactl inventory -n attic --refresh', 'one node in full, as it is now'],
        ],
        ['done', 'deadline', ...NODE_EXITS],
      ),
    )
    .action((options: { refresh?: true }, command: Command) => run(command, (session) => inventory(session, options.refresh === true)));
}

function inventory(session: Session, refresh: boolean): Promise<ExitName> {
  return askAndPrint(session, session.timeoutMs(WORK_TIMEOUT_MS), (node) => node.inventory(refresh), {
    document: (found) => ({ inventory: found }),
    text: (answers) => {
      const [only] = answers;
      return answers.length === 1 && only?.ok ? oneNode(session, only.value) : manyNodes(session, answers);
    },
    exit: () => 'done',
  });
}

const UNKNOWN = 'unknown';

function words(...parts: readonly (string | undefined)[]): string {
  return parts.filter(Boolean).join(' ') || UNKNOWN;
}

function size(bytes: number | undefined): string {
  return bytes === undefined ? UNKNOWN : formatSize(bytes);
}

function coresOf({ cores, threads }: Inventory['processor']): string {
  return `${cores ?? UNKNOWN}/${threads ?? UNKNOWN}`;
}

function manyNodes({ paint }: Session, answers: readonly Answer<Inventory>[]): string {
  const rows = answers.map((answer): readonly Cell[] => {
    const { name } = answer.target;
    if (!answer.ok) return [name, ...Array.from({ length: 5 }, () => UNKNOWN)];
    const { system, processor, memoryBytes, disks } = answer.value;
    const seen = disks.map(({ sizeBytes }) => size(sizeBytes)).join(', ');
    return [
      name,
      words(system.vendor, system.name),
      words(processor.vendor, processor.model),
      coresOf(processor),
      size(memoryBytes),
      seen || UNKNOWN,
    ];
  });
  return table(paint, ['NODE', 'SYSTEM', 'PROCESSOR', 'CORES/THREADS', 'MEMORY', 'DISKS'], rows);
}

function oneNode({ paint }: Session, found: Inventory): string {
  const { system, board, firmware, processor, memoryBytes, disks, networkInterfaces, problems } = found;
  const about = facts(paint, [
    ['System', words(system.vendor, system.name, system.version)],
    ['Serial', system.serial || UNKNOWN],
    ['Board', words(board.vendor, board.name, board.version)],
    ['Firmware', words(firmware.vendor, firmware.version, firmware.released)],
    ['Processor', words(processor.vendor, processor.model)],
    ['Cores/threads', coresOf(processor)],
    ['Memory', size(memoryBytes)],
    ['Found', localTime(found.collectedAt)],
  ]);
  const diskRows = disks.map((disk) => [
    disk.name,
    disk.type,
    size(disk.sizeBytes),
    words(disk.vendor, disk.model),
    disk.serial || UNKNOWN,
  ]);
  const networkRows = networkInterfaces.map(({ name, macAddress, addresses, state, megabitsPerSecond, virtual }): readonly Cell[] => {
    const speed = megabitsPerSecond === undefined ? '' : `${megabitsPerSecond}Mb/s`;
    return [name, virtual ? 'virtual' : 'hardware', state, speed, macAddress, addresses.join(', ')];
  });
  return [
    about,
    table(paint, ['DISK', 'TYPE', 'SIZE', 'MODEL', 'SERIAL'], diskRows),
    table(paint, ['INTERFACE', 'KIND', 'STATE', 'SPEED', 'MAC', 'ADDRESSES'], networkRows),
    ...(problems.length > 0 ? [problems.map((problem) => `not found out: ${problem.replace(/\s+/g, ' ')}\n`).join('')] : []),
  ].join('\n');
}
