// SPDX-License-Identifier: Apache-2.0
import { type Command, Option } from 'commander';
import { BANKS, type Bank } from '../../attest/tpm/algorithms.ts';
import type { ExitName } from '../../exit-code.ts';
import { readInput } from '../../input-file.ts';
import { renderDocument } from '../../output/document.ts';
import { table } from '../../output/table.ts';
import { helpAfter } from '../help.ts';
import type { Run, Session } from '../session.ts';

interface Options {
  readonly log: string;
  readonly userspaceLog?: string;
  readonly bank: Bank;
}

export function addAttestReplay(attest: Command, run: Run): void {
  attest
    .command('replay')
    .summary('what PCRs a firmware event log leads to')
    .description('Show the PCR values that a firmware event log, and a userspace log after it, lead to. Judges nothing, needs no context.')
    .requiredOption('--log <file>', 'a firmware event log in crypto-agile form (binary_bios_measurements)')
    .option('--userspace-log <file>', 'what systemd extended after it (tpm2-measure.log)')
    .addOption(new Option('--bank <bank>', 'the PCR bank').choices(BANKS).default('sha256'))
    .addHelpText(
      'after',
      helpAfter(
        [['lamactl attest replay --log binary_bios_measurements -o json', 'beside "tpm2_pcrread"']],
        ['done', 'rejected', 'configuration', 'usage'],
      ),
    )
    .action((options: Options, command: Command) => run(command, (session) => replayFiles(session, options)));
}

async function replayFiles({ world, format, paint }: Session, { log, userspaceLog, bank }: Options): Promise<ExitName> {
  const { EVENT_LOG_LIMIT_BYTES, readEventLog } = await import('../../attest/event-log/event-log.ts');
  const { USERSPACE_LOG_LIMIT_BYTES, readUserspaceLog } = await import('../../attest/userspace-log.ts');
  const { replayBoot } = await import('../../attest/replay-boot.ts');
  const { unreadable } = await import('../../attest/byte-reader.ts');
  const eventLog = readEventLog(await readInput(log, EVENT_LOG_LIMIT_BYTES));
  if (!eventLog.banks.has(bank)) throw unreadable('the firmware event log', `it has no digests of ${bank}`);
  const later = userspaceLog === undefined ? [] : readUserspaceLog(await readInput(userspaceLog, USERSPACE_LOG_LIMIT_BYTES), bank);
  const values = [...replayBoot(bank, eventLog, later)].map(([pcr, value]) => [String(pcr), value.toString('hex')] as const);
  const document = { bank, events: eventLog.events.length, pcrs: Object.fromEntries(values) };
  world.stdout.write(format === 'table' ? table(paint, ['PCR', bank.toUpperCase()], values) : await renderDocument(format, document));
  return 'done';
}
