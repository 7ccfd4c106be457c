// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from 'node:timers/promises';
import { QUICK, reaches, type Scenario } from '../integration/node/scenario.ts';

/** A moment in the life of an update at which the plug is pulled. */
export interface Moment {
  readonly stage: 'download' | 'write' | 'activation' | 'first boot' | 'gate' | 'commit';
  readonly name: string;
  /** Whether lamactl gives its own copy of the bundle; else it lies on the node. */
  readonly given?: true;
  /** What RAUC has to ask of the boot loader for the install to stand still before. */
  readonly hold?: string;
  /** Returns at the moment; the install was asked for a moment ago. */
  readonly comes: (scenario: Scenario) => Promise<unknown>;
}

const SPOOL = '/var/lib/lamadist-agent/download';

const downloaded = (octets: number) => async (scenario: Scenario) => {
  await reaches(scenario.node, 'downloading');
  const enough = `until [ "$(cat ${SPOOL}/* 2>/dev/null | wc -c)" -gt ${octets} ]; do sleep 0.2; done`;
  await scenario.node.shell(enough, { timeoutMs: 300_000 });
};

const held = (hold: string, afterMs?: number) => async (scenario: Scenario) => {
  await scenario.node.waitUntilHeld(hold, { timeoutMs: 300_000 });
  if (afterMs === undefined) return;
  await scenario.node.release(hold);
  await sleep(afterMs);
};

/** So long after the machine restarted into the new slot. */
const restarted = (afterMs: number) => async (scenario: Scenario) => {
  const { node } = scenario;
  const before = node.bootCount;
  while (node.bootCount === before) await sleep(200);
  await sleep(afterMs);
};

const write = (afterMs: number): Moment => ({
  stage: 'write',
  name: `${afterMs / 1000} s after the other slot was marked bad`,
  hold: 'set-state.B.bad',
  comes: held('set-state.B.bad', afterMs),
});

/** Twenty moments, spread over an update from the first octet to the commit. */
export const MOMENTS: readonly Moment[] = [
  { stage: 'download', name: 'after 1 MiB', given: true, comes: downloaded(1 << 20) },
  { stage: 'download', name: 'after 40 MiB', given: true, comes: downloaded(40 << 20) },
  { stage: 'download', name: 'after 90 MiB', given: true, comes: downloaded(90 << 20) },
  { stage: 'write', name: 'before the other slot is marked bad', hold: 'set-state.B.bad', comes: held('set-state.B.bad') },
  ...[500, 2000, 4000, 7000, 11_000].map(write),
  { stage: 'activation', name: 'before the slot is made primary', hold: 'set-primary.B', comes: held('set-primary.B') },
  { stage: 'activation', name: '0.3 s after it may be made primary', hold: 'set-primary.B', comes: held('set-primary.B', 300) },
  { stage: 'activation', name: 'while the reboot is pending', comes: ({ node }) => reaches(node, 'pending-reboot') },
  { stage: 'first boot', name: 'in the firmware', comes: restarted(3000) },
  { stage: 'first boot', name: 'in the kernel or the initramfs', comes: restarted(20_000) },
  { stage: 'first boot', name: 'in userspace', comes: restarted(45_000) },
  { stage: 'gate', name: 'when the trial has begun', comes: ({ node }) => reaches(node, 'trial', 'checking') },
  { stage: 'gate', name: 'while the checks run', comes: ({ node }) => reaches(node, 'checking') },
  { stage: 'commit', name: 'before the slot is marked good', hold: 'set-state.B.good', comes: held('set-state.B.good') },
  { stage: 'commit', name: '0.3 s after it may be marked good', hold: 'set-state.B.good', comes: held('set-state.B.good', 300) },
  { stage: 'commit', name: 'when it is committed', comes: ({ node }) => reaches(node, 'committed') },
];

/** Asks for the update, waits for the moment and pulls the plug. Returns whether lamactl had been told of the commit. */
export async function cutAt(scenario: Scenario, moment: Moment): Promise<{ readonly acknowledged: boolean }> {
  const { homelab, node, bundle } = scenario;
  if (moment.hold) await node.hold(moment.hold);
  const source = moment.given ? ['--limit-rate', '8MiB', homelab.bundlePath('2')] : ['--on-node', bundle];
  const install = homelab.lamactl(['install', '--force', ...source]);
  let acknowledged = false;
  void install.then(({ exitCode }) => {
    acknowledged = exitCode === 0;
  });
  await moment.comes(scenario);
  await node.cutPower();
  const result = { acknowledged };
  install.kill('SIGKILL');
  await install;
  await node.start();
  await node.waitForBoot({ timeoutMs: 600_000 });
  if (moment.hold) await node.release(moment.hold);
  await node.shell('true', QUICK);
  return result;
}
