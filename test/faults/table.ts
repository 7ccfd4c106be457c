// SPDX-License-Identifier: Apache-2.0
import type { Outcome, Round } from './round.ts';

type Played = readonly { readonly round: Round; readonly outcome: Outcome }[];

/** What came of the rounds, by what was done and by the phase in which it was done, as tables of Markdown. */
export function table(played: Played): string {
  return [by('fault', played, ({ fault }) => fault.name), by('phase', played, ({ phase }) => phase)].join('\n');
}

function by(title: string, played: Played, keyOf: (round: Round) => string): string {
  const keys = [...new Set(played.map(({ round }) => keyOf(round)))];
  const rows = keys.map((key) =>
    row(
      key,
      played.filter(({ round }) => keyOf(round) === key),
    ),
  );
  return [
    `| ${title} | tried | survived | lost | committed | rolled back | failed |`,
    '|---|---|---|---|---|---|---|',
    ...rows,
    row('all', played),
    '',
  ].join('\n');
}

function row(name: string, played: Played): string {
  const count = (matches: (outcome: Outcome) => boolean): number => played.filter(({ outcome }) => matches(outcome)).length;
  const survived = count(({ lost }) => lost === undefined);
  const ends = ['committed', 'rolled-back', 'failed'].map((phase) => count(({ ended }) => ended.startsWith(phase)));
  return `| ${[name, played.length, survived, played.length - survived, ...ends].join(' | ')} |`;
}
