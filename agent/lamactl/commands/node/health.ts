// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import { EXIT_OF_STATE, type ExitName } from '../../exit-code.ts';
import type { NodeConnection } from '../../node/node.ts';
import type { CheckResult, Checks, Outcome } from '../../node/node-device.ts';
import { type Judgement, judgeChecks, judgeHealth } from '../../node/node-state.ts';
import type { Paint, Style } from '../../output/colour.ts';
import { type Cell, table } from '../../output/table.ts';
import { helpAfter, NODE_EXITS } from '../help.ts';
import { pollAndPrint } from '../poll-and-print.ts';
import { askAndPrint, given, type Presentation } from '../print-answers.ts';
import { type Run, type Session, WORK_TIMEOUT_MS } from '../session.ts';

export function addHealth(program: Command, run: Run): void {
  program
    .command('health')
    .summary('show or run the health checks')
    .description('Show the health checks of each node: the last results, or with --run those of a run right now.')
    .option('--run', 'run every check once, now (usual --timeout: 60s)')
    .addHelpText(
      'after',
      helpAfter(
        [
          ['lamactl health -n attic', 'the last results'],
          ['lamactl health --all --run', 'check every node now'],
        ],
        ['done', 'unhealthy', ...NODE_EXITS],
      ),
    )
    .action((options: { run?: true }, command: Command) => run(command, (session) => health(session, options.run === true)));
}

function health(session: Session, runNow: boolean): Promise<ExitName> {
  const presentation: Presentation<Judged> = {
    document: ({ judgement, health }) => ({ ...judgement, ...health }),
    text: (answers) =>
      checksText(
        session.paint,
        given(answers).map(({ node, value }) => ({ node, checks: value.health })),
      ),
    exit: ({ judgement }) => EXIT_OF_STATE[judgement.state],
  };
  return runNow
    ? askAndPrint(session, session.timeoutMs(WORK_TIMEOUT_MS), runChecks, presentation)
    : pollAndPrint(session, 'health', (last) => ({ judgement: judgeHealth(last), health: last }), presentation);
}

interface Judged {
  readonly judgement: Judgement;
  readonly health: Checks;
}

async function runChecks(node: NodeConnection): Promise<Judged> {
  const health = await node.runChecks();
  return { judgement: judgeChecks(health), health };
}

/** The checks of some nodes; without a name, of the only node. */
export function checksText(paint: Paint, nodes: readonly { readonly node: string; readonly checks: Checks }[]): string {
  const rows = nodes.flatMap(({ node, checks }) => [
    ...checks.checks.map((check): readonly Cell[] => [node, check.name, outcomeCell(check), check.severity, check.detail]),
    ...checks.brokenChecks.map(({ file, line, field, message }): readonly Cell[] => {
      return [node, file, { text: 'broken', style: 'bad' }, 'required', `line ${line}: ${[field, message].filter(Boolean).join(': ')}`];
    }),
  ]);
  const named = nodes.some(({ node }) => node !== '');
  const headings = ['NODE', 'CHECK', 'OUTCOME', 'SEVERITY', 'DETAIL'];
  return named
    ? table(paint, headings, rows)
    : table(
        paint,
        headings.slice(1),
        rows.map((row) => row.slice(1)),
      );
}

const STYLES = { passed: 'good', failed: 'bad', 'timed-out': 'bad', pending: 'warning', unknown: 'warning' } as const satisfies Record<
  Outcome,
  Style
>;

function outcomeCell({ outcome }: CheckResult): Cell {
  return { text: outcome, style: STYLES[outcome] };
}
