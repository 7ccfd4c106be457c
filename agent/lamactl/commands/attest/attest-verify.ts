// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import type { Verdict } from '../../attest/verdict.ts';
import type { ExitName } from '../../exit-code.ts';
import { readInput } from '../../input-file.ts';
import type { Paint } from '../../output/colour.ts';
import { renderDocument } from '../../output/document.ts';
import { facts } from '../../output/table.ts';
import { verdictCell, verdictFacts } from '../../output/verdict-text.ts';
import { helpAfter } from '../help.ts';
import type { Run, Session } from '../session.ts';
import { EXIT_OF_VERDICT } from './attest-exit.ts';

interface Options {
  readonly evidence: string;
  readonly policy: string;
}

export const POLICY_LIMIT_BYTES = 8 * 1024 * 1024;

export function addAttestVerify(attest: Command, run: Run): void {
  attest
    .command('verify')
    .summary('judge saved evidence')
    .description(
      'Judge saved evidence by a policy. Needs no TPM, no network and no context. The nonce and the certificates are taken from the file.',
    )
    .requiredOption('--evidence <file>', 'the evidence, as "attest run --save" wrote it')
    .requiredOption('--policy <file>', 'what is expected of the node, YAML or JSON')
    .addHelpText(
      'after',
      helpAfter(
        [['lamactl attest verify --evidence attic.json --policy attic.yaml', 'years later, on any machine']],
        ['done', 'first-use', 'rejected', 'configuration', 'usage'],
      ),
    )
    .action((options: Options, command: Command) => run(command, (session) => verifyFiles(session, options)));
}

async function verifyFiles({ world, format, paint }: Session, options: Options): Promise<ExitName> {
  const { EVIDENCE_LIMIT_BYTES, readEvidence } = await import('../../attest/evidence.ts');
  const { readPolicy } = await import('../../attest/policy.ts');
  const { claimedChallenge } = await import('../../attest/challenge.ts');
  const { verify } = await import('../../attest/verify.ts');
  const policy = readPolicy((await readInput(options.policy, POLICY_LIMIT_BYTES)).toString('utf8'), options.policy);
  const evidence = readEvidence(await readInput(options.evidence, EVIDENCE_LIMIT_BYTES));
  const verdict = verify({ evidence, challenge: claimedChallenge(evidence, policy.pcr_bank), policy });
  const document = { ...verdict, time: evidence.time };
  world.stdout.write(format === 'table' ? verdictText(paint, verdict, evidence.time) : await renderDocument(format, document));
  return EXIT_OF_VERDICT[verdict.verdict];
}

function verdictText(paint: Paint, verdict: Verdict, time: string): string {
  const { image, believed, reason, found, pcr, event } = verdictFacts(verdict);
  return facts(paint, [
    ['Verdict', verdictCell(verdict)],
    ['Evidence of', time],
    ['Image', image],
    ['Believed', believed],
    ['Reason', reason],
    ['Found', found],
    ['PCR', pcr],
    ['Event', event],
  ]);
}
