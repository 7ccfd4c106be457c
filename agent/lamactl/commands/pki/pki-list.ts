// SPDX-License-Identifier: Apache-2.0
import { X509Certificate } from 'node:crypto';
import type { Command } from 'commander';
import { certificateFingerprint } from '../../../shared/fingerprint.ts';
import type { ExitName } from '../../exit-code.ts';
import { renderDocument } from '../../output/document.ts';
import { type Cell, table } from '../../output/table.ts';
import type { Issued, KeptAuthority, Registry } from '../../pki/registry.ts';
import { helpAfter } from '../help.ts';
import type { Run, Session } from '../session.ts';
import { officeOf } from './pki-options.ts';

export function addPkiList(pki: Command, run: Run): void {
  pki
    .command('list')
    .summary('list the authorities of a context and what they issued')
    .description('List the authorities of a context and every certificate that they issued, the newest last. No node is asked.')
    .addHelpText('after', helpAfter([['lamactl pki list -o json', 'for a program']], ['done', 'configuration', 'usage']))
    .action((_options: unknown, command: Command) => run(command, list));
}

async function list(session: Session): Promise<ExitName> {
  const { stdout, clock } = session.world;
  const registry = await (await officeOf(session, {})).registry.read();
  const authorities = registry.authorities.map((authority) => ({
    ...authorityDocument(authority),
    signing: authority.id === registry.signing,
  }));
  const certificates = registry.issued.map((issued) => certificateDocument(issued, registry, clock.now()));
  if (session.format !== 'table') stdout.write(await renderDocument(session.format, { authorities, certificates }));
  else {
    const first = authorities.map(({ name, key, state, signing, fingerprint }): readonly Cell[] => [
      name,
      key,
      signing ? `${state}, signs` : state,
      `sha256:${fingerprint}`,
    ]);
    const second = certificates.map(({ name, kind, role, authority, serialNumber, notAfter, state }): readonly Cell[] => [
      name,
      role === '' ? kind : role,
      state === 'valid' ? state : { text: state, style: 'warning' },
      notAfter.slice(0, 10),
      serialNumber,
      authority,
    ]);
    stdout.write(`${table(session.paint, ['AUTHORITY', 'KEY', 'STATE', 'FINGERPRINT'], first)}\n`);
    stdout.write(table(session.paint, ['NAME', 'ROLE', 'STATE', 'UNTIL', 'SERIAL NUMBER', 'AUTHORITY'], second));
  }
  return 'done';
}

function authorityDocument({ name, key, retired_at, certificate }: KeptAuthority) {
  const fingerprint = certificateFingerprint(new X509Certificate(certificate));
  return { name, fingerprint, key: 'file' in key ? key.file : key.pkcs11, state: retired_at === undefined ? 'trusted' : 'retired' };
}

function certificateDocument(issued: Issued, { authorities }: Registry, nowMs: number) {
  const authority = authorities.find(({ id }) => id === issued.authority);
  return {
    name: issued.name,
    kind: issued.kind,
    role: issued.role ?? '',
    authority: authority?.name ?? '',
    serialNumber: issued.serial_number,
    notAfter: issued.not_after,
    state: stateOf(issued, authority, nowMs),
  };
}

function stateOf({ revoked_at, not_after }: Issued, authority: KeptAuthority | undefined, nowMs: number): string {
  if (revoked_at !== undefined) return 'revoked';
  if (Date.parse(not_after) <= nowMs) return 'expired';
  return authority?.retired_at === undefined ? 'valid' : 'retired';
}
