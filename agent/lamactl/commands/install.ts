// SPDX-License-Identifier: Apache-2.0
import { Argument, type Command, Option } from 'commander';
import type { ExitName } from '../exit-code.ts';
import type { BundleSource, InstallRequest } from '../fleet/node.ts';
import { followUpdates } from './follow-updates.ts';
import { helpAfter, NODE_EXITS } from './help.ts';
import { bundleSource, waitOption } from './options.ts';
import { askAndPrint, given } from './print-answers.ts';
import { hint, type Run, type Session, USUAL_TIMEOUT_MS } from './session.ts';

export function addInstall(program: Command, run: Run): void {
  program
    .command('install')
    .summary('install a bundle and watch it to its commit or rollback')
    .description(
      'Install a bundle and watch it through the reboot and the trial, until the node commits it or rolls it back. Only a committed update is done. Ctrl-C leaves the update running.',
    )
    .addArgument(new Argument('<bundle>', 'an absolute path on the node, or an https: URL that it can reach').argParser(bundleSource))
    .option('--force', 'install a version although it failed on the node before')
    .addOption(new Option('--reboot <when>', 'who reboots into the new version').choices(['automatic', 'manual']).default('automatic'))
    .addOption(waitOption())
    .option('--no-wait', 'return as soon as the node has accepted the update')
    .addHelpText(
      'after',
      helpAfter(
        [
          ['lamactl install -n attic https://images.lan/lamadist.raucb', 'install, reboot, watch to the end'],
          ['lamactl install -n attic --reboot manual /data/lamadist.raucb', 'stop before the reboot'],
          ['lamactl install --all --no-wait https://images.lan/lamadist.raucb', 'start everywhere, watch later'],
        ],
        ['done', 'under-way', 'rolled-back', 'update-failed', 'refused', 'not-found', 'deadline', ...NODE_EXITS],
      ),
    )
    .action((source: BundleSource, options: InstallOptions, command: Command) =>
      run(command, (session) => install(session, source, options)),
    );
}

interface InstallOptions {
  readonly force?: true;
  readonly reboot: 'automatic' | 'manual';
  /** Milliseconds, or false for --no-wait. */
  readonly wait: number | false;
}

function install(session: Session, source: BundleSource, { force, reboot, wait }: InstallOptions): Promise<ExitName> {
  const request: InstallRequest = { source, rebootPolicy: reboot, force: force === true };
  if (wait === false) return start(session, request);
  return followUpdates(session, {
    begin: (node) => node.install(request),
    goal: 'committed',
    leaveManualReboot: reboot === 'manual',
    waitMs: wait,
  });
}

function start(session: Session, request: InstallRequest): Promise<ExitName> {
  return askAndPrint(session, session.timeoutMs(USUAL_TIMEOUT_MS), (node) => node.install(request), {
    document: (operationId) => ({ operationId }),
    text: (answers) =>
      given(answers)
        .map(({ node, value }) => `${node}: started update ${value}; to watch it: ${hint(session, 'watch', [node])}\n`)
        .join(''),
    exit: () => 'done',
  });
}
