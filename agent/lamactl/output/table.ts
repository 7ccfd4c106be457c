// SPDX-License-Identifier: Apache-2.0
import { oneLine, printable } from '../../shared/printable.ts';
import type { Paint, Style } from './colour.ts';

export type Cell = string | { readonly text: string; readonly style: Style };

const GAP = '  ';

/** Columns under headings, as kubectl and systemctl print them: no frame, so that a line can be cut and searched. */
export function table(paint: Paint, headings: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const widths = headings.map((heading, column) => Math.max(heading.length, ...rows.map((row) => plain(row[column]).length)));
  const line = (cells: readonly Cell[]) => {
    const padded = cells.map((cell, column) => {
      const text = column === cells.length - 1 ? plain(cell) : plain(cell).padEnd(widths[column]!);
      return typeof cell === 'string' ? text : paint(cell.style, text);
    });
    return `${padded.join(GAP).trimEnd()}\n`;
  };
  return line(headings.map((text) => ({ text, style: 'heading' }))) + rows.map(line).join('');
}

/** Facts about one thing, one a line: `Kernel  6.12.0`. Facts without a value are left out. */
export function facts(paint: Paint, pairs: readonly (readonly [name: string, value: Cell])[]): string {
  const told = pairs.filter(([, value]) => plain(value) !== '');
  const width = Math.max(0, ...told.map(([name]) => name.length));
  return told
    .map(([name, value]) => {
      const text = plain(value);
      return `${paint('faint', name.padEnd(width))}${GAP}${typeof value === 'string' ? text : paint(value.style, text)}\n`;
    })
    .join('');
}

/** A cell is one line, and drives no terminal, whatever a node or a file wrote into it. */
function plain(cell: Cell | undefined): string {
  return printable(oneLine(typeof cell === 'object' ? cell.text : (cell ?? '')));
}
