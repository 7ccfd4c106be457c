// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../../shared/failure.ts';
import { shownFingerprint } from '../../../shared/fingerprint.ts';
import { printable } from '../../../shared/printable.ts';
import type { Stranger } from '../../node/stranger.ts';
import type { UnclaimedNode } from '../../node/unclaimed-node.ts';
import type { Newcomer } from '../../pki/enrol.ts';
import type { Office } from '../../pki/office.ts';
import type { Session } from '../session.ts';
import type { EkOptions } from './ek-options.ts';
import { groundsOf } from './first-attestation.ts';

/* What has to be settled with a stranger before its key is signed. */

/** Two nodes of one name could each pass for the other. */
export async function refuseKnownName({ contextFile, context }: Office, { name }: Newcomer, replace: boolean): Promise<void> {
  const { readContext } = await import('../../contexts/context-file.ts');
  const { nodes } = await readContext(contextFile, context);
  if (replace || !Object.hasOwn(nodes, name)) return;
  throw new Failure(
    'INVALID_REQUEST',
    `Cannot enroll ${name}: context "${context}" has a node of that name; if this one takes its place, repeat with --replace`,
    { field: 'name' },
  );
}

/** A node of ours is who its certificate says. */
export function refuseOtherName({ certificate }: Stranger, { name, address: at }: Newcomer): void {
  if (certificate.checkHost(name) !== undefined) return;
  const found = printable(certificate.subject.replaceAll('\n', ', '));
  throw new Failure('ALREADY_CLAIMED', `Cannot enroll ${name}: what answers at ${at} is yours already, as ${found}`, { address: at });
}

/** The one moment at which somebody in between could pass for the node. Throws NODE_UNTRUSTED or INVALID_REQUEST. */
export async function compare(
  { world }: Session,
  { name, address: at }: Newcomer,
  shown: string,
  expected: string | undefined,
): Promise<void> {
  if (expected !== undefined) {
    if (expected === shown) return;
    throw new Failure(
      'NODE_UNTRUSTED',
      `Cannot enroll ${name}: what answers at ${at} has the fingerprint ${shownFingerprint(shown)}, and not the one that you gave`,
      { address: at, fingerprint: shown },
    );
  }
  world.stderr.write(`What answers at ${at} has no administrator. The fingerprint of its key:\n\n  ${shownFingerprint(shown)}\n\n`);
  const answer = await world.ask(`Does the node's console show the same? Then type "yes": `);
  if (answer === undefined)
    throw new Failure('INVALID_REQUEST', `Cannot enroll ${name}: nobody is here to compare its fingerprint; give it with --fingerprint`, {
      fingerprint: shown,
    });
  if (answer.trim() !== 'yes')
    throw new Failure('NODE_UNTRUSTED', `Cannot enroll ${name}: its fingerprint was not confirmed`, { address: at, fingerprint: shown });
}

/**
 * Nobody at a console: the TPM that one knows speaks for the session. A maker's root alone would do for any TPM of that maker, also
 * for that of whoever is in between. Throws INVALID_REQUEST or NODE_UNTRUSTED.
 */
export async function proveByTpm({ world }: Session, { name }: Newcomer, node: UnclaimedNode, options: EkOptions): Promise<void> {
  const { proveSession } = await import('../../trust/session-proof.ts');
  if (options.ekName === undefined) {
    const why = "--ek needs --ek-name, for a maker's root alone vouches for every TPM of that maker";
    throw new Failure('INVALID_REQUEST', `Cannot enroll ${name}: ${why}`, { field: 'ek' });
  }
  await proveSession(name, node, await groundsOf(options), world);
}
