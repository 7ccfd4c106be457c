// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import { Failure } from '../../../shared/failure.ts';
import type { ExitName } from '../../exit-code.ts';
import type { Office } from '../../pki/office.ts';
import type { Issued } from '../../pki/registry.ts';
import { helpAfter, NODE_EXITS } from '../help.ts';
import { printConfirmations } from '../print-confirmations.ts';
import { type Run, type Session, USUAL_TIMEOUT_MS } from '../session.ts';
import { officeOf, type PkiOptions, passphraseOption } from './pki-options.ts';

export function addPkiRevoke(pki: Command, run: Run): void {
  pki
    .command('revoke')
    .summary('have every node refuse certificates')
    .description(
      'Put certificates on the revocation list of their authority, and the list in force on every node of the context. A node that does not answer still accepts them: repeat the command when it is back.',
    )
    .argument('<names...>', 'names, for all certificates of one holder, or serial numbers')
    .addOption(passphraseOption())
    .addHelpText(
      'after',
      helpAfter(
        [
          ['lamactl pki revoke bob', 'whose laptop was stolen'],
          ['lamactl pki revoke 726f7c01aed83df8a31fc5445f6908b6', 'one certificate, as "pki list" shows it'],
        ],
        ['done', 'refused', 'deadline', ...NODE_EXITS],
      ),
    )
    .action((names: readonly string[], options: PkiOptions, command: Command) =>
      run(command, (session) => revokeThose(session, names, options)),
    );
}

async function revokeThose(session: Session, names: readonly string[], options: PkiOptions): Promise<ExitName> {
  const { revoke } = await import('../../pki/issuing.ts');
  const { certificatesOf } = await import('../../pki/certificates-of.ts');
  const { authorityOf, trustOf } = await import('../../pki/registry.ts');
  const { keepTrust } = await import('../../pki/office.ts');
  const { applyTrust, everyNode } = await import('../../pki/fleet-trust.ts');
  const office = await officeOf(session, options);
  const before = await office.registry.read();
  const chosen = names.flatMap((name) => certificatesOf(before, name));
  await refuseOwn(office, chosen);
  const serialNumbers = new Set(chosen.map(({ serial_number }) => serial_number));
  // While somebody is asked for a passphrase, no other lamactl has to wait.
  for (const id of authoritiesToSign(chosen)) await office.keys.open(authorityOf(before.authorities, id));
  const { authorities } = await office.registry.change(async (registry) => {
    const after = await revoke(registry, office.keys, serialNumbers, session.world);
    return { registry: after, result: after };
  });
  await keepTrust(office);
  const told = await applyTrust(session.world, await everyNode(office), trustOf(authorities), session.timeoutMs(USUAL_TIMEOUT_MS));
  // A node that shows what is revoked now is spoken to no more.
  const answers = told.filter((answer) => answer.ok || !(isUntrusted(answer.failure) && names.includes(answer.target.tlsName)));
  const revoked = chosen.map(({ name, serial_number }) => ({ name, serialNumber: serial_number }));
  return printConfirmations(session, answers, { done: 'refuses them', common: { revoked } });
}

/** Of what is revoked already, the list is signed already. */
function authoritiesToSign(chosen: readonly Issued[]): ReadonlySet<number> {
  return new Set(chosen.filter(({ revoked_at }) => revoked_at === undefined).map(({ authority }) => authority));
}

const isUntrusted = ({ code }: Failure): boolean => code === 'NODE_UNTRUSTED';

/** Nodes would refuse it as well, for nobody could take it back. */
async function refuseOwn({ contextFile, context }: Office, chosen: readonly Issued[]): Promise<void> {
  const { X509Certificate } = await import('node:crypto');
  const { readContext } = await import('../../contexts/context-file.ts');
  const { readIdentity } = await import('../../contexts/identity-files.ts');
  const own = new X509Certificate((await readIdentity(await readContext(contextFile, context))).certificate).serialNumber.toLowerCase();
  if (!chosen.some(({ serial_number }) => serial_number === own)) return;
  throw new Failure(
    'INVALID_REQUEST',
    'Cannot revoke the certificate that this context uses: no node would listen to you any more; name others by their serial numbers',
  );
}
