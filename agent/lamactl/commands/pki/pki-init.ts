// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import type { ExitName } from '../../exit-code.ts';
import { helpAfter } from '../help.ts';
import type { Run, Session } from '../session.ts';
import { certificateName, clientName, officeOf, type PkiOptions, passphraseOption } from './pki-options.ts';

interface Options extends PkiOptions {
  readonly name?: string;
  readonly admin: string;
  readonly token?: string;
}

export function addPkiInit(pki: Command, run: Run): void {
  pki
    .command('init')
    .summary('make your authority and your own certificate')
    .description(
      'Make the authority that signs the certificates of your nodes, an administrator’s certificate for yourself, and a context that uses them. The key of the authority is kept encrypted in the folder pki beside the context file, or stays in a token.',
    )
    .option('--name <name>', 'what the authority is called in certificates (default: the name of the context)', certificateName)
    .option('--admin <name>', 'what audit logs are to call you', clientName, 'admin')
    .option('--token <uri>', "the authority's key is in a token: pkcs11:token=NAME;object=NAME?module-path=/usr/lib/…/module.so")
    .addOption(passphraseOption())
    .addHelpText(
      'after',
      helpAfter(
        [
          ['lamactl pki init --admin alice', 'the first context, "home"'],
          ['lamactl pki init --context cabin', 'another one, with an authority of its own'],
        ],
        ['done', 'configuration', 'usage'],
      ),
    )
    .action((options: Options, command: Command) => run(command, (session) => init(session, options)));
}

async function init(session: Session, { name, admin, token, ...rest }: Options): Promise<ExitName> {
  const { found } = await import('../../pki/found.ts');
  const { printAuthority } = await import('./print-authority.ts');
  const office = await officeOf(session, rest);
  const registry = await found(office, { name: name ?? office.context, admin, ...(token !== undefined && { token }) });
  await printAuthority(session, office, registry);
  return 'done';
}
