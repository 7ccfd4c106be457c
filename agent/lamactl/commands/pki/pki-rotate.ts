// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import { type ExitName, worst } from '../../exit-code.ts';
import type { Issued } from '../../pki/registry.ts';
import type { RotationReport } from '../../pki/rotate.ts';
import type { Stage } from '../../pki/rotation.ts';
import { helpAfter, NODE_EXITS } from '../help.ts';
import { printConfirmations } from '../print-confirmations.ts';
import { type Run, type Session, USUAL_TIMEOUT_MS } from '../session.ts';
import { officeOf, type PkiOptions, passphraseOption } from './pki-options.ts';

interface Options extends PkiOptions {
  readonly token?: string;
  readonly handedOver?: true;
}

export function addPkiRotate(pki: Command, run: Run): void {
  pki
    .command('rotate')
    .summary('put a new authority in the place of the old one, and lock nobody out')
    .description(
      'Put a new authority in the place of the old one: every node is told to trust both, then gets a new certificate, and only when every node has shown that it can do without is the old one dropped. A node that does not answer stops it, as does one that has a certificate and is not in the context, and is named: the same command goes on where it stopped, also after it was killed.',
    )
    .option('--token <uri>', "the new authority's key is in a token: pkcs11:token=NAME;object=NAME?module-path=/usr/lib/…/module.so")
    .option('--handed-over', 'the others have their new certificates, from the folder handed-over: drop the old authority')
    .addOption(passphraseOption())
    .addHelpText(
      'after',
      helpAfter(
        [
          ['lamactl pki rotate', 'begin, or go on'],
          ['lamactl pki rotate --handed-over', 'and finish'],
        ],
        ['done', 'under-way', 'refused', 'deadline', ...NODE_EXITS],
      ),
    )
    .action((options: Options, command: Command) => run(command, (session) => rotateOn(session, options)));
}

const DOING: Readonly<Record<Stage, (from: string, to: string) => string>> = {
  trusting: (from, to) => `every node is told to trust "${to}" beside "${from}"`,
  reissuing: (_from, to) => `your certificate and every node's are issued by "${to}"`,
  'handing-over': (_from, to) => `the certificates of others are issued by "${to}"`,
  dropping: (from) => `every node is told to trust "${from}" no more`,
};

const DONE: Readonly<Record<RotationReport['stage'], string>> = {
  trusting: 'trusts both',
  reissuing: 'has a new certificate',
  'handing-over': '',
  dropping: 'can do without the old authority',
  finished: 'trusts the new authority alone',
};

async function rotateOn(session: Session, { token, handedOver, ...rest }: Options): Promise<ExitName> {
  const { rotate } = await import('../../pki/rotate.ts');
  const { stderr } = session.world;
  const { stage, from, to, nodes, toHandOver, strays } = await rotate(await officeOf(session, rest), {
    ...(token !== undefined && { token }),
    handedOver: handedOver === true,
    timeoutMs: session.timeoutMs(USUAL_TIMEOUT_MS),
    onStage: (begun, old, next) => stderr.write(`${begun}: ${DOING[begun](old, next)}\n`),
  });
  const exit = await printConfirmations(session, nodes, {
    done: DONE[stage],
    common: { stage, from, to, toHandOver, strays: strays.map(({ name, serial_number }) => ({ name, serialNumber: serial_number })) },
  });
  if (stage === 'finished') stderr.write(`finished: "${to}" has taken the place of "${from}"\n`);
  else if (toHandOver.length > 0) stderr.write(handOverText(toHandOver, from));
  else if (strays.length > 0) stderr.write(straysText(strays, from));
  else stderr.write(`"${from}" stays trusted until the nodes above have confirmed; then repeat the command\n`);
  return stage === 'finished' ? exit : worst([exit, 'under-way']);
}

function handOverText(files: readonly string[], from: string): string {
  return [
    `"${from}" stays trusted until these certificates are with their owners (each goes with the key that its owner has), and the new ca.pem with them:`,
    ...files.map((file) => `  ${file}`),
    'Then: lamactl pki rotate --handed-over\n',
  ].join('\n');
}

function straysText(strays: readonly Issued[], from: string): string {
  return [
    `"${from}" stays trusted, for these certificates of it are of nodes that are not in the context, and would be locked out:`,
    ...strays.map(({ name, serial_number }) => `  ${serial_number}  ${name}`),
    'Add each node with "lamactl enroll ADDRESS --name NAME"; of one that is gone, or was reset, "lamactl pki revoke" the certificate. Then repeat the command\n',
  ].join('\n');
}
