// SPDX-License-Identifier: Apache-2.0
import { type Command, InvalidArgumentError, Option } from 'commander';
import { BANKS, type Bank } from '../attest/tpm/algorithms.ts';
import type { ExitName } from '../exit-code.ts';
import { renderDocument } from '../output/document.ts';
import { helpAfter } from './help.ts';
import { readInput } from './input-file.ts';
import type { Run, Session } from './session.ts';

interface Options {
  readonly uki: string;
  readonly bank: Bank;
  readonly profile?: number;
}

const UKI_LIMIT_BYTES = 1024 * 1024 * 1024;

export function addAttestLearn(attest: Command, run: Run): void {
  attest
    .command('learn')
    .summary('what an image makes of PCR 4 and 11')
    .description('Compute from a unified kernel image alone what PCR 4 and 11 are once it has booted: the field "pcrs" of a policy.')
    .requiredOption('--uki <file>', 'the image (.efi)')
    .addOption(new Option('--bank <bank>', 'the PCR bank').choices(BANKS).default('sha256'))
    .addOption(new Option('--profile <number>', 'the profile that boots, as in "@1" (default: the first)').argParser(profileNumber))
    .addHelpText(
      'after',
      helpAfter(
        [['lamactl attest learn --uki lamadist.efi >> attic.yaml', 'into a policy']],
        ['done', 'refused', 'configuration', 'usage'],
      ),
    )
    .action((options: Options, command: Command) => run(command, (session) => learn(session, options)));
}

/** A policy is YAML, so that this is what is printed where no other form is asked for. */
async function learn({ world, format }: Session, { uki, bank, profile }: Options): Promise<ExitName> {
  const { readUki } = await import('../attest/image/uki.ts');
  const { expectedPcr4, expectedPcr11 } = await import('../attest/image/expected-pcrs.ts');
  const image = readUki(await readInput(uki, UKI_LIMIT_BYTES), profile);
  const pin = (values: readonly Buffer[]) => ({ from: 'image', values: values.map((value) => value.toString('hex')) });
  const pcrs = { '4': pin(expectedPcr4(image, bank)), '11': pin([expectedPcr11(image, bank)]) };
  world.stdout.write(await renderDocument(format === 'json' ? 'json' : 'yaml', { pcr_bank: bank, pcrs }));
  return 'done';
}

/** Profiles are counted from 0, and systemd-stub is told of one as "@1": systemd-stub(7). */
function profileNumber(text: string): number {
  const [, digits] = /^@?(\d{1,2})$/.exec(text) ?? [];
  if (digits === undefined) throw new InvalidArgumentError('Say the number of a profile, such as 0 or @1.');
  return Number(digits);
}
