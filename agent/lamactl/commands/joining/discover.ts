// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import { Failure } from '../../../shared/failure.ts';
import { shownFingerprint } from '../../../shared/fingerprint.ts';
import { printable } from '../../../shared/printable.ts';
import type { ExitName } from '../../exit-code.ts';
import { fanOut } from '../../fleet/fan-out.ts';
import { renderDocument } from '../../output/document.ts';
import { type Cell, table } from '../../output/table.ts';
import type { KnownAuthority } from '../../pki/known-authorities.ts';
import type { World } from '../../world.ts';
import { helpAfter } from '../help.ts';
import { count } from '../options.ts';
import { officeOf } from '../pki/pki-options.ts';
import type { Run, Session } from '../session.ts';

/** Of the same network; who does not answer by then has nothing there. */
const USUAL_TIMEOUT_MS = 1_500;

interface Options {
  readonly port?: number;
  readonly mdns?: true;
}

export function addDiscover(program: Command, run: Run): void {
  program
    .command('discover')
    .summary('look for nodes on the network')
    .description(
      'Look at one port of every address in the ranges, and tell who answers: nodes that wait for an administrator, nodes of yours, and others. Nothing that they say of themselves is believed; "enroll" compares.',
    )
    .argument('[ranges...]', 'ranges such as 10.0.0.0/24')
    .option('--mdns', 'ask the network for nodes that announce themselves, beside the ranges or in their place')
    .option('--port <number>', 'the port to look at (default: 7443)', count)
    .addHelpText(
      'after',
      helpAfter([['lamactl discover 10.0.0.0/24', 'then: lamactl enroll ADDRESS --name NAME']], ['done', 'not-found', 'usage']),
    )
    .action((ranges: readonly string[], options: Options, command: Command) =>
      run(command, (session) => discover(session, ranges, options)),
    );
}

/** How long a network is listened to: answers are spread over a second (RFC 6762, section 6). */
const LISTEN_MS = 2_000;

async function announcedHere(): Promise<readonly string[]> {
  const { announcedNodes } = await import('../../contexts/announced.ts');
  return announcedNodes(LISTEN_MS);
}

interface Found {
  readonly address: string;
  readonly state: 'unclaimed' | 'yours' | 'other';
  /** Of its key; of a node that waits, what its console shows. */
  readonly fingerprint: string;
  /** Whom its certificate names, or who signed that. */
  readonly who: string;
}

async function discover(session: Session, ranges: readonly string[], { port, mdns }: Options): Promise<ExitName> {
  if (ranges.length === 0 && !mdns)
    throw new Failure('INVALID_REQUEST', 'Cannot look for nodes: say a range such as 10.0.0.0/24, or --mdns');
  const { addressesIn } = await import('../../contexts/address-range.ts');
  const { knownAuthorities } = await import('../../pki/known-authorities.ts');
  const { world } = session;
  const announced = mdns ? await announcedHere() : [];
  const addresses = [...new Set([...ranges.flatMap((range) => addressesIn(range, port)), ...announced])];
  const authorities = await knownAuthorities(await officeOf(session, {}));
  const timeoutMs = session.timeoutMs(USUAL_TIMEOUT_MS);
  const found = (await fanOut(addresses, (address) => lookAt(world, address, authorities, timeoutMs))).filter((each) => each !== undefined);
  if (session.format !== 'table') world.stdout.write(await renderDocument(session.format, { nodes: found, looked: addresses.length }));
  else world.stdout.write(table(session.paint, ['ADDRESS', 'STATE', 'WHO', 'FINGERPRINT'], found.map(row)));
  return found.length > 0 ? 'done' : 'not-found';
}

async function lookAt(
  world: World,
  address: string,
  authorities: readonly KnownAuthority[],
  timeoutMs: number,
): Promise<Found | undefined> {
  const { judge } = await import('../../pki/enrol.ts');
  const { keyFingerprint } = await import('../../../shared/fingerprint.ts');
  try {
    const stranger = await world.meet(address, timeoutMs);
    const { certificate } = stranger;
    const met = judge(stranger, authorities);
    const fingerprint = keyFingerprint(certificate.publicKey);
    if (met.type === 'unclaimed') return { address, state: 'unclaimed', fingerprint, who: '' };
    if (met.type === 'ours') return { address, state: 'yours', fingerprint, who: printable(nameIn(certificate.subject)) };
    return { address, state: 'other', fingerprint, who: printable(met.issuer) };
  } catch (thrown) {
    const { code } = Failure.from(thrown);
    // Most addresses of a range are nobody's, and some are of servers of another kind.
    if (code === 'INTERNAL') throw thrown;
    return undefined;
  }
}

function nameIn(subject: string): string {
  return /^CN=(.*)$/m.exec(subject)?.[1] ?? '';
}

function row({ address, state, who, fingerprint }: Found): readonly Cell[] {
  return [
    address,
    { text: state, style: state === 'unclaimed' ? 'warning' : 'good' },
    who,
    state === 'unclaimed' ? shownFingerprint(fingerprint) : '',
  ];
}
