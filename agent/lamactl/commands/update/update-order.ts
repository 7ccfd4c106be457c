// SPDX-License-Identifier: Apache-2.0
import type { ExitName } from '../../exit-code.ts';
import type { NodeConnection } from '../../node/node.ts';
import { askAndPrint, given } from '../print-answers.ts';
import { hint, type Session, USUAL_TIMEOUT_MS } from '../session.ts';

/** Tells the update under way on each selected node to do something, and says that it was taken. */
export function orderUpdate(session: Session, taken: string, order: (node: NodeConnection) => Promise<string>): Promise<ExitName> {
  return askAndPrint(session, session.timeoutMs(USUAL_TIMEOUT_MS), order, {
    document: (operationId) => ({ operationId }),
    text: (answers) =>
      given(answers)
        .map(({ node, value }) => `${node}: update ${value} ${taken}; to watch it: ${hint(session, 'watch', [node])}\n`)
        .join(''),
    exit: () => 'done',
  });
}
