// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import type { ExitName } from '../../exit-code.ts';
import type { Unit } from '../../node/node-details.ts';
import type { Style } from '../../output/colour.ts';
import { type Cell, table } from '../../output/table.ts';
import { helpAfter, NODE_EXITS } from '../help.ts';
import { askAndPrint, given } from '../print-answers.ts';
import { type Run, type Session, USUAL_TIMEOUT_MS } from '../session.ts';

/** A service may take its time to stop. */
const RESTART_TIMEOUT_MS = 3 * 60_000;

export function addUnits(program: Command, run: Run): void {
  const units = program
    .command('units')
    .summary('list the units of systemd, or restart one')
    .description('List the units of systemd on each node, or restart one that the configuration of the node allows to be restarted.')
    .addHelpText(
      'after',
      helpAfter(
        [
          ['lamactl units --all --state failed', 'what has failed anywhere'],
          ['lamactl units restart k3s.service -n attic', 'restart it, and wait until it runs again'],
        ],
        ['done', 'refused', 'not-found', ...NODE_EXITS],
      ),
    );
  units
    .command('list', { isDefault: true })
    .summary('list units')
    .description('List the units of systemd on each node.')
    .argument('[pattern...]', 'names of units, with * and ? for any characters and for any one')
    .option('--state <state>', 'units in this load, active or sub state; repeat it for others', collect, [])
    .addHelpText(
      'after',
      helpAfter(
        [
          ["lamactl units list '*.timer' -n attic", 'by name'],
          ['lamactl units list --state failed --all', 'by state'],
        ],
        ['done', ...NODE_EXITS],
      ),
    )
    .action((patterns: readonly string[], options: { state: readonly string[] }, command: Command) =>
      run(command, (session) => list(session, patterns, options.state)),
    );
  units
    .command('restart')
    .summary('restart a unit')
    .description('Restart a unit on each node and wait until it runs again. The configuration of the node says which: units.restart.')
    .argument('<unit>', 'its whole name, for example k3s.service')
    .addHelpText(
      'after',
      helpAfter([['lamactl units restart k3s.service -n attic', 'usual --timeout: 3m']], ['done', 'refused', 'not-found', ...NODE_EXITS]),
    )
    .action((name: string, _options: unknown, command: Command) => run(command, (session) => restart(session, name)));
}

function collect(state: string, states: readonly string[]): readonly string[] {
  return [...states, state];
}

function list(session: Session, patterns: readonly string[], states: readonly string[]): Promise<ExitName> {
  return askAndPrint(session, session.timeoutMs(USUAL_TIMEOUT_MS), (node) => node.units({ states, patterns }), {
    document: (units) => ({ units }),
    text: (answers) =>
      unitsText(
        session,
        given(answers).flatMap(({ node, value }) => value.map((unit) => ({ node, unit }))),
      ) +
      given(answers)
        .filter(({ value }) => value.length === 0)
        .map(({ node }) => `${node}: no unit matches\n`)
        .join(''),
    exit: () => 'done',
  });
}

function restart(session: Session, name: string): Promise<ExitName> {
  return askAndPrint(session, session.timeoutMs(RESTART_TIMEOUT_MS), (node) => node.restartUnit(name), {
    document: (unit) => ({ unit }),
    text: (answers) =>
      unitsText(
        session,
        given(answers).map(({ node, value }) => ({ node, unit: value })),
      ),
    exit: () => 'done',
  });
}

const STYLES: Readonly<Record<string, Style>> = { active: 'good', failed: 'bad', activating: 'warning', deactivating: 'warning' };

function unitsText({ paint }: Session, units: readonly { readonly node: string; readonly unit: Unit }[]): string {
  if (units.length === 0) return '';
  const rows = units.map(({ node, unit }): readonly Cell[] => {
    const { name, loadState, activeState, subState, restartable, description } = unit;
    const style = STYLES[activeState];
    return [node, name, loadState, style ? { text: activeState, style } : activeState, subState, restartable ? 'yes' : '', description];
  });
  return table(paint, ['NODE', 'UNIT', 'LOAD', 'ACTIVE', 'SUB', 'RESTART', 'DESCRIPTION'], rows);
}
