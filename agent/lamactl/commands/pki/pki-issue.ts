// SPDX-License-Identifier: Apache-2.0
import { createPublicKey } from 'node:crypto';
import { Argument, type Command, Option } from 'commander';
import type { ExitName } from '../../exit-code.ts';
import { readInput } from '../../input-file.ts';
import { renderDocument } from '../../output/document.ts';
import { facts } from '../../output/table.ts';
import type { Role } from '../../pki/issuing.ts';
import { helpAfter } from '../help.ts';
import { count } from '../options.ts';
import type { Run, Session } from '../session.ts';
import { clientName, officeOf, type PkiOptions, passphraseOption } from './pki-options.ts';

const ROLES = ['admin', 'operator', 'reader', 'monitor'] as const satisfies readonly Role[];
const MAX_REQUEST_BYTES = 16 << 10;

interface Options extends PkiOptions {
  readonly role: Role;
  readonly request?: string;
  readonly folder: string;
  readonly days?: number;
}

export function addPkiIssue(pki: Command, run: Run): void {
  pki
    .command('issue')
    .summary('make a certificate for a person or a program')
    .description(
      'Make a client certificate with a role. Without --request its key is made here and must be brought to its owner in secret; with it, the key never leaves its owner.',
    )
    .addArgument(new Argument('<name>', 'whose it is, as audit logs are to say').argParser(clientName))
    .addOption(new Option('--role <role>', 'what it lets its holder do').choices(ROLES).makeOptionMandatory())
    .option('--request <file>', 'a certificate request (PKCS#10) of the owner: only a certificate is made')
    .option('--folder <folder>', 'where NAME.pem, NAME.key and ca.pem are written, over nothing but certificates of yours', '.')
    .option('--days <number>', 'how long it is valid (default: 730)', count)
    .addOption(passphraseOption())
    .addHelpText(
      'after',
      helpAfter(
        [
          ['lamactl pki issue prometheus --role monitor --folder /etc/prometheus/lamadist', 'for scraping metrics'],
          ['lamactl pki issue bob --role operator --request bob.csr', 'Bob keeps his key'],
        ],
        ['done', 'configuration', 'usage'],
      ),
    )
    .action((name: string, options: Options, command: Command) => run(command, (session) => issueOne(session, name, options)));
}

async function issueOne(session: Session, name: string, { role, request, folder, days, ...rest }: Options): Promise<ExitName> {
  const { keyOfRequest } = await import('../../pki/issuing.ts');
  const { issueRecorded } = await import('../../pki/issue-recorded.ts');
  const { ownKey } = await import('../../pki/found.ts');
  const { handoutFiles } = await import('../../pki/handout-files.ts');
  const { trustOf } = await import('../../pki/registry.ts');
  const { writeWhole } = await import('../../whole-file.ts');
  const office = await officeOf(session, rest);
  const { certificate, key: keyFile, ca } = await handoutFiles(office, name, folder);
  const key =
    request === undefined
      ? createPublicKey(await ownKey(keyFile))
      : await keyOfRequest((await readInput(request, MAX_REQUEST_BYTES)).toString());
  const subject = { kind: 'client', name, role, ...(days !== undefined && { days }) } as const;
  const issued = await issueRecorded(office, subject, key);
  await writeWhole(certificate, issued.certificate);
  await writeWhole(ca, trustOf((await office.registry.read()).authorities).authorities);
  const shown = { name, role, serialNumber: issued.serial_number, notAfter: issued.not_after, certificate, ca };
  const { stdout } = session.world;
  if (session.format !== 'table') stdout.write(await renderDocument(session.format, shown));
  else
    stdout.write(
      facts(session.paint, [
        ['Name', name],
        ['Role', role],
        ['Serial number', issued.serial_number],
        ['Valid until', issued.not_after],
        ['Certificate', certificate],
      ]),
    );
  return 'done';
}
