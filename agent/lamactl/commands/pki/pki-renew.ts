// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import type { ExitName } from '../../exit-code.ts';
import { helpAfter, NODE_EXITS } from '../help.ts';
import { printConfirmations } from '../print-confirmations.ts';
import { type Run, type Session, USUAL_TIMEOUT_MS } from '../session.ts';
import { officeOf, type PkiOptions, passphraseOption } from './pki-options.ts';

export function addPkiRenew(pki: Command, run: Run): void {
  pki
    .command('renew')
    .summary('give nodes new certificates before the old ones expire')
    .description(
      'Give the selected nodes new certificates for the keys that they have. Nobody is disconnected. A node’s metrics tell when its certificate expires.',
    )
    .addOption(passphraseOption())
    .addHelpText(
      'after',
      helpAfter([['lamactl pki renew --all', 'five more years for every node']], ['done', 'refused', 'deadline', ...NODE_EXITS]),
    )
    .action((options: PkiOptions, command: Command) => run(command, (session) => renew(session, options)));
}

async function renew(session: Session, options: PkiOptions): Promise<ExitName> {
  const { renewNodes } = await import('../../pki/renew.ts');
  const office = await officeOf(session, options);
  const answers = await renewNodes(office, await session.targets(), session.timeoutMs(USUAL_TIMEOUT_MS));
  return printConfirmations(session, answers, { done: 'has a new certificate', common: {} });
}
