// SPDX-License-Identifier: Apache-2.0
// The layouts of docs/PARTITIONING.md, drawn from wks/: npx tsx test/layers/layout-diagram.ts writes them there.
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type Partition, plannedPartitions } from './disk-layout.ts';
import { REPOSITORY } from './kas-build.ts';
import { layoutVariables } from './lay-out.ts';

const PAGE = path.join(REPOSITORY, 'docs/PARTITIONING.md');
const MIB = 1 << 20;
const SECTOR_BYTES = 512;
/** A smaller hole is what alignment leaves. */
const HOLE_BYTES = 64 * 1024;
const WIDTH = { place: 14, name: 17, size: 9 } as const;
/** What a partition of each name is for; the name without its slot where both are alike. */
const MEANINGS: Readonly<Record<string, string>> = {
  loader: 'idbloader: the boot ROM reads it',
  'uboot-env': "U-Boot's variables, twice: order and tries of the slots",
  uboot: 'U-Boot and Trusted Firmware',
  esp: 'EFI system partition: the UKIs',
  root: 'EROFS',
  'root-verity': 'its hash tree',
};
const VAR = 'the rest of the disk: made by systemd-repart at the first boot';

/** The disk as a column of boxes, from its first sector on. */
function drawLayout(partitions: readonly Partition[]): string {
  const rows = [box('0', 'partition table', '', '')];
  let endBytes = MIB;
  for (const part of [...partitions].sort((a, b) => a.startBytes - b.startBytes)) {
    if (part.startBytes - endBytes >= HOLE_BYTES) rows.push(box(place(endBytes), '', size(part.startBytes - endBytes), 'free'));
    rows.push(box(place(part.startBytes), part.name, size(part.sizeBytes), meaning(part.name)));
    endBytes = part.startBytes + part.sizeBytes;
  }
  rows.push(box(place(endBytes), 'var', '', VAR));
  const edge = (left: string, right: string) => `${' '.repeat(WIDTH.place)} ${left}${'─'.repeat(WIDTH.name + 2)}${right}`;
  return [edge('┌', '┐'), rows.join(`\n${edge('├', '┤')}\n`), edge('└', '┘')].join('\n');
}

function box(start: string, name: string, sizeText: string, text: string): string {
  return `${start.padStart(WIDTH.place)} │ ${name.padEnd(WIDTH.name)} │ ${sizeText.padStart(WIDTH.size)}  ${text}`.trimEnd();
}

function meaning(name: string): string {
  const [, kind = name, slot, verity = ''] = /^(esp|root)-([ab])(-verity)?$/.exec(name) ?? [];
  const text = MEANINGS[kind + verity] ?? '';
  return slot === undefined ? text : `slot ${slot.toUpperCase()}: ${text}${slot === 'b' ? ', empty until the first update' : ''}`;
}

/** Whole MiB, or sectors where firmware counts in them. */
function place(bytes: number): string {
  return bytes % MIB === 0 ? `${bytes / MIB} MiB` : `sector ${bytes / SECTOR_BYTES}`;
}

function size(bytes: number): string {
  return bytes % MIB === 0 ? `${bytes / MIB} MiB` : `${bytes / 1024} KiB`;
}

/** The page with the drawing of every layout in its place: the block of code after a heading that begins with the board's name. */
export async function drawnPage(): Promise<string> {
  let page = await readFile(PAGE, 'utf8');
  for (const file of await readdir(path.join(REPOSITORY, 'wks'))) {
    const board = file.replace('.wks.in', '');
    const layout = await readFile(path.join(REPOSITORY, 'wks', file), 'utf8');
    const drawing = drawLayout(plannedPartitions(layout, await layoutVariables(board, '')));
    const block = new RegExp(`(^## ${board}\\n\\n\`\`\`\\n).*?(\\n\`\`\`$)`, 'ms');
    if (!block.test(page)) throw new Error(`docs/PARTITIONING.md has no block of code right below "## ${board}"`);
    page = page.replace(block, (_, before: string, after: string) => before + drawing + after);
  }
  return page;
}

if (process.argv[1] === import.meta.filename) await writeFile(PAGE, await drawnPage());
