// SPDX-License-Identifier: Apache-2.0
import { X509Certificate } from 'node:crypto';
import type { Command } from 'commander';
import { certificateFingerprint } from '../../../shared/fingerprint.ts';
import type { ExitName } from '../../exit-code.ts';
import { renderDocument } from '../../output/document.ts';
import { facts } from '../../output/table.ts';
import { helpAfter } from '../help.ts';
import type { Run, Session } from '../session.ts';
import { certificateName, officeOf, type PkiOptions, passphraseOption } from './pki-options.ts';

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
    .option('--admin <name>', 'what audit logs are to call you', certificateName, 'admin')
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
  const { signingAuthority } = await import('../../pki/registry.ts');
  const office = await officeOf(session, rest);
  const registry = await found(office, { name: name ?? office.context, admin, ...(token !== undefined && { token }) });
  const authority = signingAuthority(registry);
  const shown = {
    context: office.context,
    contextFile: office.contextFile,
    folder: office.folder,
    authority: authority.name,
    fingerprint: `sha256:${certificateFingerprint(new X509Certificate(authority.certificate))}`,
  };
  const { stdout } = session.world;
  if (session.format !== 'table') stdout.write(await renderDocument(session.format, shown));
  else
    stdout.write(
      facts(session.paint, [
        ['Authority', authority.name],
        ['Pin it with', `lamadist.enrol_ca=${shown.fingerprint}`],
        ['Kept in', office.folder],
        ['Context', `${office.context}, in ${office.contextFile}`],
        ['Next', 'lamactl enroll ADDRESS --name NAME'],
      ]),
    );
  return 'done';
}
