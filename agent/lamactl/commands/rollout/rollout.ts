// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import { helpAfter } from '../help.ts';
import type { Run } from '../session.ts';
import { addRolloutOrders } from './rollout-orders.ts';
import { ROLLOUT_EXITS } from './rollout-run.ts';
import { addRolloutPlan, addRolloutStart } from './rollout-start.ts';
import { addRolloutList, addRolloutStatus, addRolloutWatch } from './rollout-status.ts';

export function addRollout(program: Command, run: Run): void {
  const rollout = program
    .command('rollout')
    .summary('bring many nodes to a version, wave by wave')
    .description(
      'Bring many nodes to a version, wave by wave: a wave goes on only when each of its nodes is booted into the new version, healthy, attested where that is asked for, and committed. It is on record on this machine and on a few of the nodes: Ctrl-C or a closed lid loses nothing, and another machine of yours can take it over.',
    )
    .addHelpText(
      'after',
      helpAfter(
        [
          ['lamactl rollout plan --all --bundle ./v2.raucb', 'which node, which wave, why; changes nothing'],
          ['lamactl rollout start --all --bundle https://images.lan/v2.raucb', 'one node, a tenth, the rest'],
          ['lamactl rollout status', 'where the last one stands'],
          ['lamactl rollout resume', 'go on, after a pause or a closed lid'],
          ['lamactl rollout undo', 'back to what the nodes ran before'],
        ],
        ROLLOUT_EXITS,
      ),
    );
  for (const add of [addRolloutPlan, addRolloutStart, addRolloutStatus, addRolloutWatch, addRolloutList, addRolloutOrders])
    add(rollout, run);
}
