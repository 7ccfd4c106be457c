// SPDX-License-Identifier: Apache-2.0
import { type Command, Option } from 'commander';
import { Failure } from '../../../shared/failure.ts';
import { BANKS, type Bank } from '../../attest/tpm/algorithms.ts';
import type { Rejection } from '../../attest/verdict.ts';
import type { ExitName } from '../../exit-code.ts';
import type { NodeConnection } from '../../node/node.ts';
import { facts } from '../../output/table.ts';
import { verdictCell } from '../../output/verdict-text.ts';
import type { EnrolledKeys, Grounds } from '../../trust/enrol-node.ts';
import type { ExpectationStore } from '../../trust/expectation-store.ts';
import type { World } from '../../world.ts';
import { helpAfter, NODE_EXITS } from '../help.ts';
import { addEkOptions, type EkOptions } from '../joining/ek-options.ts';
import { askAndPrint, given } from '../print-answers.ts';
import { type Run, type Session, TPM_TIMEOUT_MS } from '../session.ts';
import { ATTEST_EXITS } from './attest-exit.ts';

interface Options extends EkOptions {
  readonly acceptNew?: true;
  readonly replace?: true;
  readonly bank?: Bank;
}

export function addAttestEnroll(attest: Command, run: Run): void {
  const enroll = attest
    .command('enroll')
    .summary('learn the keys of a node, and have it prove them')
    .description(
      'Have a node prove that its attestation key is in one TPM with its endorsement key, and write both down. The endorsement key is believed for a chain of certificates to a root, for a name that you compared, or, shown for ever after, because it is new.',
    );
  addEkOptions(enroll)
    .option('--accept-new', 'believe an endorsement key that nothing speaks for')
    .option('--replace', 'forget the keys with which the node was enrolled before')
    .addOption(new Option('--bank <bank>', 'the PCR bank to ask for from now on (default: sha256, or the one before)').choices(BANKS))
    .addHelpText(
      'after',
      helpAfter(
        [
          ['lamactl attest enroll -n attic --ek-root tpm-makers.pem', 'believe what a maker vouches for'],
          ['lamactl attest enroll -n attic --accept-new', 'believe what is there'],
        ],
        [...ATTEST_EXITS, 'refused', 'deadline', ...NODE_EXITS],
      ),
    )
    .action((options: Options, command: Command) => run(command, (session) => enrollAll(session, options)));
}

async function enrollAll(session: Session, options: Options): Promise<ExitName> {
  const { readCertificates } = await import('../../trust/certificate-files.ts');
  const [roots, intermediates] = [await readCertificates(options.ekRoot), await readCertificates(options.ekIntermediate)];
  const grounds: Grounds = {
    issuers: { roots, intermediates },
    acceptNew: options.acceptNew === true,
    ...(options.ekName === undefined ? {} : { ekName: options.ekName }),
  };
  const store = await session.expectations();
  const { paint } = session;
  return askAndPrint(
    session,
    session.timeoutMs(TPM_TIMEOUT_MS),
    (node, { name }) => enrollOne(session.world, store, name, node, grounds, options),
    {
      document: (result) => ('reason' in result ? { verdict: 'REJECTED', ...result } : result),
      text: (answers) =>
        given(answers)
          .map(({ node, value }) => ('reason' in value ? refusedText(session, node, value) : enrolledText(paint, node, value)))
          .join('\n'),
      exit: (result) => {
        if ('reason' in result) return 'rejected';
        return result.ek_trust === 'first-use' ? 'first-use' : 'done';
      },
    },
  );
}

/** Has one node prove its keys, and writes them down. Throws INVALID_REQUEST and what calls fail with. */
export async function enrollOne(
  world: Pick<World, 'random' | 'clock'>,
  store: ExpectationStore,
  name: string,
  node: NodeConnection,
  grounds: Grounds,
  { bank, replace }: Pick<Options, 'bank' | 'replace'>,
): Promise<EnrolledKeys | Rejection> {
  const { enrolNode, policyWith } = await import('../../trust/enrol-node.ts');
  const { whenFree } = await import('../../trust/when-free.ts');
  const before = await store.policy(name);
  if (before && !replace) {
    throw new Failure(
      'INVALID_REQUEST',
      `Cannot enroll ${name}: it is enrolled already, see ${store.policyFile(name)}; to forget those keys, repeat with --replace`,
      { node: name },
    );
  }
  const result = await whenFree(world, () => enrolNode(name, node, grounds, world));
  if ('reason' in result) return result;
  const twin = await store.nodeWith(result.ek_name, name);
  if (twin !== undefined) {
    throw new Failure(
      'INVALID_REQUEST',
      `Cannot enroll ${name}: ${twin} is enrolled with the very same TPM; one of the two asks the other's. If ${twin} is gone, remove ${store.policyFile(twin)}`,
      { node: name, ek_name: result.ek_name },
    );
  }
  await store.keepPolicy(name, policyWith(result, bank, before));
  await store.forgetTrusted(name);
  return result;
}

const WHY = {
  chain: 'a chain of certificates to a root that you gave',
  operator: 'the name that you gave',
  'first-use': 'nothing but that it was there: compare its name at the node, or ask its maker',
} as const;

function enrolledText(paint: Session['paint'], node: string, { ek_name, ak_name, ek_trust }: EnrolledKeys): string {
  return facts(paint, [
    ['Node', node],
    ['Enrolled', { text: ek_trust, style: ek_trust === 'first-use' ? 'warning' : 'good' }],
    ['Believed for', WHY[ek_trust]],
    ['EK', ek_name],
    ['AK', ak_name],
    ['Next', `lamactl attest learn -n ${node}; lamactl attest learn -n ${node} --uki FILE`],
  ]);
}

function refusedText({ paint }: Session, node: string, rejection: Rejection): string {
  return facts(paint, [
    ['Node', node],
    ['Verdict', verdictCell({ verdict: 'REJECTED', ...rejection })],
    ['Reason', rejection.reason],
    ['Found', rejection.found],
  ]);
}
