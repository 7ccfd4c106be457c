// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import { Failure } from '../../../shared/failure.ts';
import type { ExitName } from '../../exit-code.ts';
import { helpAfter } from '../help.ts';
import type { Run, Session } from '../session.ts';
import { officeOf, type PkiOptions, passphraseOption } from './pki-options.ts';

interface Options extends PkiOptions {
  readonly certificate: string;
  readonly key?: string;
  readonly token?: string;
  readonly crl?: string;
  readonly issued: readonly string[];
}

export function addPkiImport(pki: Command, run: Run): void {
  pki
    .command('import')
    .summary('keep an authority that was made elsewhere')
    .description(
      'Keep an authority that was made elsewhere, with openssl perhaps: from then on lamactl issues, revokes and rotates. A context that has certificates of it goes on with them; where there is none, "lamactl pki init" makes it. Name the certificates that it issued to others: of those that lamactl does not know, "pki rotate" gives nobody a new one. The key is kept encrypted; take the file away afterwards.',
    )
    .requiredOption('--certificate <file>', 'PEM of its certificate')
    .option('--key <file>', 'PEM of its key')
    .option('--token <uri>', 'the key is in a token: pkcs11:token=NAME;object=NAME?module-path=/usr/lib/…/module.so')
    .option('--crl <file>', 'PEM of its newest revocation list; without it nothing is revoked')
    .option('--issued <file...>', 'PEM of certificates that it issued to people and programs', [])
    .addOption(passphraseOption())
    .addHelpText(
      'after',
      helpAfter(
        [
          ['lamactl pki import --certificate ca.pem --key ca.key', 'for the context of now'],
          ['lamactl pki import --certificate ca.pem --key ca.key --crl crl.pem --issued bob.pem ci.pem', 'with all that it did'],
        ],
        ['done', 'configuration', 'usage'],
      ),
    )
    .action((options: Options, command: Command) => run(command, (session) => importAuthority(session, options)));
}

async function importAuthority(session: Session, { certificate, key, token, crl, issued, ...rest }: Options): Promise<ExitName> {
  if ((key === undefined) === (token === undefined)) {
    throw new Failure('INVALID_REQUEST', 'Cannot import the authority: say where its key is, with one of --key and --token', {
      field: 'key',
    });
  }
  const { adopt } = await import('../../pki/adopt.ts');
  const { printAuthority } = await import('./print-authority.ts');
  const office = await officeOf(session, rest);
  const registry = await adopt(office, {
    certificate,
    key: key === undefined ? { token: token! } : { file: key },
    ...(crl !== undefined && { list: crl }),
    issued,
  });
  await printAuthority(session, office, registry);
  return 'done';
}
