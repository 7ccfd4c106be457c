// SPDX-License-Identifier: Apache-2.0
import { styleText } from 'node:util';
import type { World } from '../world.ts';

export type Style = 'good' | 'bad' | 'warning' | 'faint' | 'heading';
export type Paint = (style: Style, text: string) => string;

const FORMATS = { good: 'green', bad: 'red', warning: 'yellow', faint: 'dim', heading: 'bold' } as const;

/** Colours for a terminal whose owner did not refuse them (no-color.org: any value that is not empty). */
export function painter({ stdout, env }: Pick<World, 'stdout' | 'env'>): Paint {
  if (!stdout.isTerminal || env.NO_COLOR) return (_, text) => text;
  // Whether to colour is decided here, from the world; styleText would ask the process.
  return (style, text) => styleText(FORMATS[style], text, { validateStream: false });
}
