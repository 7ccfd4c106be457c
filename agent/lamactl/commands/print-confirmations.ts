// SPDX-License-Identifier: Apache-2.0
import { type ExitName, exitOfFailure, worst } from '../exit-code.ts';
import type { Answer } from '../fleet/ask.ts';
import { failureDocument, renderDocument } from '../output/document.ts';
import { failureText } from '../output/failure-text.ts';
import { type Cell, table } from '../output/table.ts';
import type { Session } from './session.ts';

export interface Confirmations {
  /** What a node that confirmed does now. */
  readonly done: string;
  /** Properties of the whole document, beside its nodes. */
  readonly common: object;
}

/** Prints which nodes confirmed a change, and which did not and why. Returns the worst exit. */
export async function printConfirmations(
  session: Session,
  answers: readonly Answer<unknown>[],
  { done, common }: Confirmations,
): Promise<ExitName> {
  const { stdout, stderr } = session.world;
  if (session.format === 'table') {
    const rows = answers.map(({ target, ok }): readonly Cell[] => [
      target.name,
      ok ? { text: done, style: 'good' } : { text: 'not confirmed', style: 'bad' },
    ]);
    if (rows.length > 0) stdout.write(table(session.paint, ['NODE', 'NOW'], rows));
    stderr.write(answers.map((answer) => (answer.ok ? '' : failureText(answer.target.name, answer.failure))).join(''));
  } else {
    const nodes = answers.map((answer) => ({
      node: answer.target.name,
      confirmed: answer.ok,
      ...(!answer.ok && { error: failureDocument(answer.failure) }),
    }));
    stdout.write(await renderDocument(session.format, { ...common, nodes }));
  }
  return worst(answers.map((answer) => (answer.ok ? 'done' : exitOfFailure(answer.failure))));
}
