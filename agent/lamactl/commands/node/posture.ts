// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import type { ExitName } from '../../exit-code.ts';
import type { Answer } from '../../fleet/ask.ts';
import { PROTECTION_KINDS, type Protection, type ProtectionState } from '../../node/node-details.ts';
import type { Style } from '../../output/colour.ts';
import { type Cell, table } from '../../output/table.ts';
import { helpAfter, NODE_EXITS } from '../help.ts';
import { pollAndPrint } from '../poll-and-print.ts';
import type { Run, Session } from '../session.ts';

export function addPosture(program: Command, run: Run): void {
  program
    .command('posture')
    .summary('show which protections are on')
    .description(
      'Show what protects each node: Secure Boot, dm-verity below the root, LUKS below the data, SELinux, IMA, a TPM and the lockdown of the kernel, each on, off or unknown. It is what the agent finds on its own node; "lamactl attest" is for a node that may lie. One node alone is shown with what was found, and where.',
    )
    .addHelpText(
      'after',
      helpAfter(
        [
          ['lamactl posture --all', 'every node of the context'],
          ['lamactl posture -n attic', 'one node, with the evidence'],
        ],
        ['done', ...NODE_EXITS],
      ),
    )
    .action((_options: unknown, command: Command) => run(command, posture));
}

function posture(session: Session): Promise<ExitName> {
  return pollAndPrint(session, 'posture', (protections) => protections, {
    document: (protections) => ({ protections }),
    text: (answers) => {
      const [only] = answers;
      return answers.length === 1 && only?.ok ? oneNode(session, only.value) : manyNodes(session, answers);
    },
    exit: (protections) => (protections.some(({ state }) => state === 'unknown') ? 'unknown' : 'done'),
  });
}

const STYLES = { on: 'good', off: 'bad', unknown: 'warning' } as const satisfies Record<ProtectionState, Style>;

function stateCell(state: ProtectionState): Cell {
  return { text: state, style: STYLES[state] };
}

function oneNode({ paint }: Session, protections: readonly Protection[]): string {
  const rows = protections.map(({ kind, state, detail, evidence }) => [kind, stateCell(state), detail, evidence]);
  return table(paint, ['PROTECTION', 'STATE', 'FOUND', 'EVIDENCE'], rows);
}

function manyNodes({ paint }: Session, answers: readonly Answer<readonly Protection[]>[]): string {
  const kinds = PROTECTION_KINDS.slice(1);
  const rows = answers.map((answer) => {
    const stateOf = (kind: string) => (answer.ok && answer.value.find((protection) => protection.kind === kind)?.state) || 'unknown';
    return [answer.target.name, ...kinds.map((kind) => stateCell(stateOf(kind)))];
  });
  return table(paint, ['NODE', ...kinds.map((kind) => kind.toUpperCase())], rows);
}
