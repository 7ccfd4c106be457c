// SPDX-License-Identifier: Apache-2.0
import { isDeepStrictEqual } from 'node:util';
import { Argument, type Command, InvalidArgumentError, Option } from 'commander';
import * as v from 'valibot';
import { Failure } from '../../../shared/failure.ts';
import { parseFingerprint, shownFingerprint } from '../../../shared/fingerprint.ts';
import { Labels } from '../../../shared/labels.ts';
import { parseAddress } from '../../contexts/address.ts';
import type { ExitName } from '../../exit-code.ts';
import type { Target } from '../../node/node.ts';
import type { NodeTrust } from '../../node/node-access.ts';
import { renderDocument } from '../../output/document.ts';
import { facts } from '../../output/table.ts';
import type { Newcomer } from '../../pki/enrol.ts';
import type { Office } from '../../pki/office.ts';
import { ATTEST_EXITS } from '../attest/attest-exit.ts';
import { helpAfter, NODE_EXITS } from '../help.ts';
import { certificateName, officeOf, type PkiOptions, passphraseOption } from '../pki/pki-options.ts';
import { type Run, type Session, USUAL_TIMEOUT_MS, WORK_TIMEOUT_MS } from '../session.ts';
import { addEkOptions, type EkOptions } from './ek-options.ts';
import { type FirstAttestation, firstAttestation } from './first-attestation.ts';
import { compare, proveByTpm, refuseKnownName, refuseOtherName } from './meeting.ts';

/** A claimed node opens its port anew, and a TPM makes its keys. */
const JOIN_PATIENCE_MS = 60_000;
const RETRY_MS = 250;

interface Options extends PkiOptions, EkOptions {
  readonly name: string;
  readonly role: readonly string[];
  readonly label: readonly string[];
  readonly fingerprint?: string;
  readonly ek?: true;
  readonly replace?: true;
}

export function addEnroll(program: Command, run: Run): void {
  const enroll = program
    .command('enroll')
    .summary('make a node that has no administrator yours')
    .description(
      "Claim a node that has no administrator: compare the fingerprint of its key with the one on its console, sign the key, hand over your authority, and have the node's TPM prove its keys and sign the logs of its boot. The node is in the context from then on. A node that is yours already is added to the context, with other labels where you say some.",
    )
    .addArgument(new Argument('<address>', 'where it is').argParser(address))
    .requiredOption('--name <name>', 'what it is to be called', certificateName)
    .addOption(
      new Option('--role <role>', 'short for --label role=…; repeat it, and -l role=… chooses the node by each')
        .argParser(collect)
        .default([], 'none'),
    )
    .addOption(new Option('--label <key=value>', 'a label to choose it by; repeat it').argParser(collect).default([], 'none'))
    .addOption(new Option('--fingerprint <sha256>', "the fingerprint on the node's console; nobody is asked then").argParser(fingerprint));
  addEkOptions(enroll)
    .option('--ek', "know the node by its TPM's endorsement key, with --ek-name, in the place of its fingerprint")
    .option('--replace', 'another node, or other keys of its TPM, had the name before')
    .addOption(passphraseOption())
    .addHelpText(
      'after',
      helpAfter(
        [
          ['lamactl enroll 10.0.0.7 --name cellar --label site=cellar', 'shows the fingerprint, and asks'],
          ['lamactl enroll 10.0.0.8 --name shed --role k3s --fingerprint "sha256:9f86 d081 …"', 'for a script'],
          ['lamactl enroll 10.0.0.9 --name barn --ek --ek-name 000b1f…', 'by a TPM that you know'],
        ],
        [...ATTEST_EXITS, 'refused', 'deadline', ...NODE_EXITS],
      ),
    )
    .action((at: string, options: Options, command: Command) => run(command, (session) => join(session, at, options)));
}

function collect(value: string, values: readonly string[]): readonly string[] {
  return [...values, value];
}

function address(text: string): string {
  const parsed = parseAddress(text);
  if (parsed === undefined) throw new InvalidArgumentError('Say an address such as "10.0.0.5", "attic.lan:7443" or "[fd00::5]:7443".');
  return parsed;
}

function fingerprint(text: string): string {
  const parsed = parseFingerprint(text);
  if (parsed === undefined) throw new InvalidArgumentError('Say a SHA-256: 64 hexadecimal digits.');
  return parsed;
}

/** Throws INVALID_REQUEST. */
function labelsOf({ role, label }: Options): Labels {
  const pairs = [...label, ...(role.length > 0 ? [`role=${role.join('.')}`] : [])].map((text) => {
    const equals = text.indexOf('=');
    return [text.slice(0, Math.max(0, equals)), text.slice(equals + 1)] as const;
  });
  const parsed = v.safeParse(Labels, Object.fromEntries(pairs));
  if (parsed.success) return parsed.output;
  throw new Failure('INVALID_REQUEST', `Cannot use the labels: "${String(parsed.issues[0].input)}" ${parsed.issues[0].message}`, {
    field: 'label',
  });
}

async function join(session: Session, at: string, options: Options): Promise<ExitName> {
  const asked: Newcomer = { name: options.name, address: at, labels: labelsOf(options) };
  const office = await officeOf(session, options);
  const joined = await claim(session, office, asked, options);
  const target = await targetOf(office, asked);
  const { labels } = await untilItAnswers(session, target);
  const newcomer = { ...asked, labels: await agreeOnLabels(session, target, asked.labels, labels) };
  const { remember } = await import('../../pki/enrol.ts');
  await remember(office, newcomer);
  const attestation = await firstAttestation({ ...session, context: office.context }, target, options);
  const { predecessorsOf } = await import('../../pki/certificates-of.ts');
  const before = predecessorsOf(await office.registry.read(), newcomer.name, joined).map(({ serial_number }) => serial_number);
  await print(session, newcomer, { fingerprint: joined, attestation, before });
  return attestation.exit;
}

/** Resolves with the fingerprint of the node, once it trusts our authority. */
async function claim(session: Session, office: Office, newcomer: Newcomer, options: Options): Promise<string> {
  const { claimNode, judge } = await import('../../pki/enrol.ts');
  const { openAuditHeads } = await import('../../trust/audit-heads.ts');
  const { keyFingerprint } = await import('../../../shared/fingerprint.ts');
  const { name, address: at } = newcomer;
  const { authorities } = await office.registry.read();
  const timeoutMs = session.timeoutMs(USUAL_TIMEOUT_MS);
  const stranger = await session.world.meet(at, timeoutMs);
  const shown = keyFingerprint(stranger.certificate.publicKey);
  const met = judge(stranger, authorities);
  if (met.type === 'foreign') {
    throw new Failure('ALREADY_CLAIMED', `Cannot enroll ${name}: what answers at ${at} has a certificate of ${met.issuer}`, {
      address: at,
    });
  }
  if (met.type === 'ours') {
    refuseOtherName(stranger, newcomer);
    // Nobody is asked again; but what was said has to hold.
    if (options.fingerprint !== undefined) await compare(session, newcomer, shown, options.fingerprint);
    return shown;
  }
  await refuseKnownName(office, newcomer, options.replace === true);
  const node = await session.world.connectUnclaimed(stranger, { timeoutMs: session.timeoutMs(WORK_TIMEOUT_MS) });
  try {
    if (options.ek) await proveByTpm(session, newcomer, node, options);
    else await compare(session, newcomer, shown, options.fingerprint);
    await claimNode(office, stranger, node, newcomer);
    // Its log may begin anew, too.
    const { world } = session;
    await (await openAuditHeads(office.context, world.env, world.homeDirectory)).forget(name);
    return shown;
  } finally {
    node.close();
  }
}

async function targetOf({ contextFile, context }: Office, { name, address: at }: Newcomer): Promise<Target> {
  const { readContext } = await import('../../contexts/context-file.ts');
  const { readIdentity } = await import('../../contexts/identity-files.ts');
  return { name, address: at, tlsName: name, labels: {}, identity: await readIdentity(await readContext(contextFile, context)) };
}

/** Between enrolment and everything else the node opens its port anew. */
async function untilItAnswers({ world, timeoutMs }: Session, target: Target): Promise<NodeTrust> {
  const end = world.clock.now() + JOIN_PATIENCE_MS;
  for (;;) {
    const node = await world.connect(target, { timeoutMs: timeoutMs(USUAL_TIMEOUT_MS) });
    try {
      return await node.trust();
    } catch (thrown) {
      const { code } = Failure.from(thrown);
      const passes = code === 'NODE_UNREACHABLE' || code === 'NODE_UNTRUSTED' || code === 'UNAUTHENTICATED' || code === 'DEADLINE_EXCEEDED';
      if (!passes || world.clock.now() >= end) throw thrown;
    } finally {
      node.close();
    }
    await world.clock.sleep(RETRY_MS);
  }
}

/** A node that was there before gets the labels that were said, and keeps its own where none were. */
async function agreeOnLabels({ world, timeoutMs }: Session, target: Target, asked: Labels, found: Labels): Promise<Labels> {
  if (Object.keys(asked).length === 0) return found;
  if (isDeepStrictEqual(asked, found)) return asked;
  const node = await world.connect(target, { timeoutMs: timeoutMs(USUAL_TIMEOUT_MS) });
  try {
    await node.setLabels(asked);
    return asked;
  } finally {
    node.close();
  }
}

interface Joined {
  readonly fingerprint: string;
  readonly attestation: FirstAttestation;
  /** Serial numbers of certificates that hold still, of a node that had the name with another key. */
  readonly before: readonly string[];
}

async function print(session: Session, { name, address: at, labels }: Newcomer, joined: Joined): Promise<void> {
  const { stdout } = session.world;
  const { fingerprint: shown, attestation, before } = joined;
  if (session.format !== 'table') {
    const document = { node: name, address: at, fingerprint: shown, labels, attestation: attestation.document, before };
    stdout.write(await renderDocument(session.format, document));
    return;
  }
  stdout.write(
    facts(session.paint, [
      ['Node', name],
      ['Address', at],
      ['Fingerprint', shownFingerprint(shown)],
      [
        'Labels',
        Object.entries(labels)
          .map(([key, value]) => `${key}=${value}`)
          .join(' '),
      ],
      ['Attestation', attestation.cell],
      ['Because', attestation.why],
      ...(before.length > 0 ? [['Before it', `lamactl pki revoke ${before.join(' ')}`] as const] : []),
      ['Next', `lamactl status -n ${name}`],
    ]),
  );
}
