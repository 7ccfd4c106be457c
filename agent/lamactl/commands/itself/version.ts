// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import { VERSION } from '../../../shared/version.ts';
import type { ExitName } from '../../exit-code.ts';
import { renderDocument } from '../../output/document.ts';
import { table } from '../../output/table.ts';
import { helpAfter, NODE_EXITS } from '../help.ts';
import { pollAndPrint } from '../poll-and-print.ts';
import type { Run, Session } from '../session.ts';

export function addVersion(program: Command, run: Run): void {
  program
    .command('version')
    .summary('show the versions of lamactl, agents and images')
    .description('Show the version of lamactl, and of the agent and the image on each node.')
    .option('--client', 'show that of lamactl alone; needs no context')
    .addHelpText(
      'after',
      helpAfter(
        [
          ['lamactl version --client', 'lamactl alone'],
          ['lamactl version --all', 'lamactl and every node'],
        ],
        ['done', ...NODE_EXITS],
      ),
    )
    .action((options: { client?: true }, command: Command) => run(command, (session) => version(session, options.client === true)));
}

async function version(session: Session, clientOnly: boolean): Promise<ExitName> {
  const { world, format, paint } = session;
  const client = `lamactl ${VERSION}\n`;
  if (clientOnly) {
    world.stdout.write(format === 'table' ? client : await renderDocument(format, { client: VERSION }));
    return 'done';
  }
  return pollAndPrint(session, 'device', (device) => device, {
    common: { client: VERSION },
    document: ({ agentVersion, imageId, imageVersion }) => ({ agentVersion, imageId, imageVersion }),
    text: (answers) => {
      const rows = answers.map((answer) => {
        const { name } = answer.target;
        return answer.ok
          ? [name, answer.value.agentVersion, answer.value.imageId, answer.value.imageVersion]
          : [name, 'unknown', 'unknown', 'unknown'];
      });
      return `${client}\n${table(paint, ['NODE', 'AGENT', 'IMAGE', 'VERSION'], rows)}`;
    },
    exit: () => 'done',
  });
}
