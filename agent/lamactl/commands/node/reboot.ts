// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import type { ExitName } from '../../exit-code.ts';
import { awaitReboot } from '../../fleet/await-reboot.ts';
import type { NodeConnection, Target } from '../../node/node.ts';
import type { Device } from '../../node/node-device.ts';
import { helpAfter, NODE_EXITS } from '../help.ts';
import { duration } from '../options.ts';
import { askAndPrint, given } from '../print-answers.ts';
import { type Run, type Session, USUAL_TIMEOUT_MS } from '../session.ts';

const USUAL_WAIT_MS = 10 * 60_000;

export function addReboot(program: Command, run: Run): void {
  program
    .command('reboot')
    .summary('reboot nodes')
    .description('Reboot each node. Refused while a slot is being written. With --wait, return when the node answers from its next boot.')
    .option('--wait [duration]', 'wait for the next boot, 10m at most unless said otherwise', duration)
    .addHelpText(
      'after',
      helpAfter(
        [
          ['lamactl reboot -n attic', 'ask for it'],
          ['lamactl reboot -n attic --wait', 'and wait for the next boot'],
        ],
        ['done', 'refused', 'deadline', ...NODE_EXITS],
      ),
    )
    .action((options: RebootOptions, command: Command) => run(command, (session) => reboot(session, options)));
}

interface RebootOptions {
  /** Milliseconds, or true for the usual. */
  readonly wait?: number | true;
}

interface Rebooted {
  /** The boot that was to end. */
  readonly bootId: string;
  /** The node in its next boot, where that was waited for. */
  readonly device?: Device;
}

function reboot(session: Session, { wait }: RebootOptions): Promise<ExitName> {
  const waitMs = wait === true ? USUAL_WAIT_MS : wait;
  return askAndPrint(session, session.timeoutMs(USUAL_TIMEOUT_MS), (node, target) => rebootOne(session, node, target, waitMs), {
    document: (rebooted) => ({ ...rebooted }),
    text: (answers) =>
      given(answers)
        .map(({ node, value }) => `${node}: ${told(value)}\n`)
        .join(''),
    exit: () => 'done',
  });
}

async function rebootOne(session: Session, node: NodeConnection, target: Target, waitMs: number | undefined): Promise<Rebooted> {
  const bootId = await node.reboot();
  if (waitMs === undefined) return { bootId };
  const { connect, clock } = session.world;
  return { bootId, device: await awaitReboot(target, bootId, { connect, clock, timeoutMs: session.timeoutMs(USUAL_TIMEOUT_MS), waitMs }) };
}

function told({ device }: Rebooted): string {
  if (!device) return 'reboots now';
  const slot = device.slots.find(({ booted }) => booted)?.name;
  return `rebooted into ${[device.imageVersion, slot && `in ${slot}`].filter(Boolean).join(' ')} (boot ${device.bootId})`;
}
