// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import { EXIT_OF_STATE, type ExitName } from '../../exit-code.ts';
import type { Answer } from '../../fleet/ask.ts';
import type { Answers } from '../../fleet/poll/questions.ts';
import type { Device, Health, Slot } from '../../node/node-device.ts';
import { hasEnded, type Judgement, judgeNode, type State } from '../../node/node-state.ts';
import type { Update } from '../../node/node-update.ts';
import type { Style } from '../../output/colour.ts';
import { waitsFor } from '../../output/progress-line.ts';
import { type Cell, facts, table } from '../../output/table.ts';
import { age, localTime } from '../../output/time.ts';
import { helpAfter, NODE_EXITS } from '../help.ts';
import { pollAndPrint } from '../poll-and-print.ts';
import type { Run, Session } from '../session.ts';
import { checksText } from './health.ts';

export function addStatus(program: Command, run: Run): void {
  program
    .command('status')
    .summary('show what each node runs, and whether it is fine')
    .description(
      'Show what each node runs and whether it is fine: healthy, unhealthy, trial (a new version is not committed yet), updating, or unknown (it does not answer, or cannot tell). One node alone is shown with its slots and checks.',
    )
    .addHelpText(
      'after',
      helpAfter(
        [
          ['lamactl status --all', 'every node of the context'],
          ['lamactl status -n attic', 'one node, with slots and checks'],
          ['lamactl status --all && echo fine', 'fine only when every node is healthy'],
        ],
        ['done', 'under-way', 'unhealthy', ...NODE_EXITS],
      ),
    )
    .action((_options: unknown, command: Command) => run(command, status));
}

interface Status {
  readonly judgement: Judgement;
  readonly phase: string;
  readonly since?: string;
  readonly slot: string;
  readonly device: Device;
  readonly health: Health;
  readonly update?: Update;
}

async function status(session: Session): Promise<ExitName> {
  return pollAndPrint(session, 'status', statusOf, {
    document: ({ judgement, device, ...rest }) => ({ ...judgement, version: device.imageVersion, ...rest, device }),
    failed: { state: 'unknown' },
    text: (answers) =>
      !session.wide && answers.length === 1 && answers[0]?.ok
        ? oneNode(session, answers[0].target.address, answers[0].value)
        : manyNodes(session, answers),
    textTellsFailures: true,
    exit: ({ judgement }) => EXIT_OF_STATE[judgement.state],
  });
}

function statusOf({ device, health, update }: Answers['status']): Status {
  const since = update && !hasEnded(update.phase) ? update.phaseChanges.at(-1)?.at : device.bootedAt;
  return {
    judgement: judgeNode(device, health, update),
    phase: update?.phase ?? 'idle',
    ...(since ? { since } : {}),
    slot: device.slots.find(({ booted }) => booted)?.name ?? '',
    device,
    health,
    ...(update ? { update } : {}),
  };
}

const STYLES = {
  healthy: 'good',
  unhealthy: 'bad',
  trial: 'warning',
  updating: 'warning',
  unknown: 'bad',
} as const satisfies Record<State, Style>;

function stateCell(state: State): Cell {
  return { text: state, style: STYLES[state] };
}

function manyNodes({ paint, world, wide }: Session, answers: readonly Answer<Status>[]): string {
  const rows = answers.map((answer): readonly Cell[] => {
    const { name, address } = answer.target;
    const unknown = wide ? [address, '', '', ''] : [];
    if (!answer.ok) return [name, stateCell('unknown'), '', '', '', '', ...unknown, answer.failure.message];
    const { judgement, device, slot, phase, since, update } = answer.value;
    const why = [judgement.why, update && waitsFor(update)].filter(Boolean).join('; ');
    const more = wide ? [address, device.compatible, `${device.kernelRelease} ${device.architecture}`, device.agentVersion] : [];
    const usual = [name, stateCell(judgement.state), device.imageVersion, slot, phase, age(since, world.clock.now())];
    return [...usual, ...more, why];
  });
  const more = wide ? ['ADDRESS', 'COMPATIBLE', 'KERNEL', 'AGENT'] : [];
  return table(paint, ['NODE', 'STATE', 'VERSION', 'SLOT', 'PHASE', 'SINCE', ...more, 'WHY'], rows);
}

function oneNode(session: Session, address: string, { judgement, device, health, update, phase }: Status): string {
  const { paint, world } = session;
  const updatedAt = update?.phaseChanges.at(-1)?.at;
  const about = facts(paint, [
    ['Node', `${device.hostname} at ${address}`],
    ['State', { text: [judgement.state, judgement.why].filter(Boolean).join(': '), style: STYLES[judgement.state] }],
    ['Image', `${device.imageId} ${device.imageVersion}`],
    ['Compatible', device.compatible],
    ['Kernel', `${device.kernelRelease} ${device.architecture}`],
    ['Agent', device.agentVersion],
    ['Booted', `${localTime(device.bootedAt)} (${device.bootId})`],
    ['Update', [phase, update?.bundle?.version, updatedAt && `${age(updatedAt, world.clock.now())} ago`].filter(Boolean).join(' ')],
    ['Waits', update ? waitsFor(update) : ''],
    ['Reason', update?.reason?.message ?? ''],
  ]);
  const slots = table(paint, ['SLOT', 'NAME', 'USE', 'BOOT', 'VERSION', 'STATUS', 'INSTALLED'], device.slots.map(slotRow));
  return `${about}\n${slots}\n${checksText(paint, [{ node: '', checks: health }])}`;
}

function slotRow(slot: Slot): readonly Cell[] {
  const use = [slot.booted ? 'booted' : '', slot.primary ? 'primary' : ''].filter(Boolean).join(', ');
  const boot: Cell = { text: slot.bootStatus, style: slot.bootStatus === 'good' ? 'good' : 'bad' };
  return [slot.name, slot.bootname, use, boot, slot.version, slot.status, localTime(slot.installedAt)];
}
