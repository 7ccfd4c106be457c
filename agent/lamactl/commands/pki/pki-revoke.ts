// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import { Failure } from '../../../shared/failure.ts';
import type { ExitName } from '../../exit-code.ts';
import type { Office } from '../../pki/office.ts';
import type { Issued, Registry } from '../../pki/registry.ts';
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
    .argument('<names...>', 'names, for all valid certificates of theirs, or serial numbers')
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
  const { trustOf } = await import('../../pki/registry.ts');
  const { keepTrust } = await import('../../pki/office.ts');
  const { applyTrust, everyNode } = await import('../../pki/fleet-trust.ts');
  const office = await officeOf(session, options);
  const before = await office.registry.read();
  const chosen = names.flatMap((name) => meant(before, name));
  await refuseOwn(office, chosen);
  const registry = await revoke(before, office.keys, new Set(chosen.map(({ serial_number }) => serial_number)), session.world);
  await office.registry.write(registry);
  await keepTrust(office, registry.authorities);
  const told = await applyTrust(session.world, await everyNode(office), trustOf(registry.authorities), session.timeoutMs(USUAL_TIMEOUT_MS));
  // A node that shows what is revoked now is spoken to no more.
  const answers = told.filter((answer) => answer.ok || !(isUntrusted(answer.failure) && names.includes(answer.target.tlsName)));
  const revoked = chosen.map(({ name, serial_number }) => ({ name, serialNumber: serial_number }));
  return printConfirmations(session, answers, { done: 'refuses them', common: { revoked } });
}

const isUntrusted = ({ code }: Failure): boolean => code === 'NODE_UNTRUSTED';

/** What was revoked before counts as well: its list may have to reach a node that was off. Throws INVALID_REQUEST. */
function meant({ issued }: Registry, name: string): readonly Issued[] {
  const found = issued.filter((each) => each.serial_number === name.toLowerCase() || each.name === name);
  if (found.length > 0) return found;
  throw new Failure(
    'INVALID_REQUEST',
    `Cannot revoke "${name}": it is neither a name nor a serial number of a certificate that was issued; see "lamactl pki list"`,
  );
}

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
