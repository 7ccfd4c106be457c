// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import { helpAfter } from '../help.ts';
import type { Run } from '../session.ts';
import { addAttestEnroll } from './attest-enroll.ts';
import { addAttestLearn } from './attest-learn.ts';
import { addAttestRecord } from './attest-record.ts';
import { addAttestReplay } from './attest-replay.ts';
import { addAttestRun } from './attest-run.ts';
import { addAttestShow } from './attest-show.ts';
import { addAttestVerify } from './attest-verify.ts';

export function addAttest(program: Command, run: Run): void {
  const attest = program
    .command('attest')
    .summary('judge what nodes prove of themselves')
    .description('Judge what nodes prove of themselves with their TPMs. docs/ATTESTATION.md says how, and what it cannot show.')
    .addHelpText(
      'after',
      helpAfter(
        [
          ['lamactl attest enroll -n attic --ek-root tpm-makers.pem', 'learn the keys of a node'],
          ['lamactl attest run --all', 'judge all of them now'],
          ['lamactl attest show -n attic', 'why one is rejected'],
          ['lamactl attest verify --evidence attic.json --policy attic.yaml', 'judge saved evidence, without a network'],
          ['lamactl attest learn --uki lamadist.efi', 'what an image makes of PCR 4 and 11'],
        ],
        ['done', 'first-use', 'rejected', 'configuration', 'usage'],
      ),
    );
  const commands = [addAttestEnroll, addAttestLearn, addAttestRun, addAttestShow, addAttestRecord, addAttestVerify, addAttestReplay];
  for (const add of commands) add(attest, run);
}
