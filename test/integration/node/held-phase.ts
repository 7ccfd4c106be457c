// SPDX-License-Identifier: Apache-2.0
import type { Phase } from '../../../agent/daemon/update/life/state.ts';
import { reaches } from './ask-node.ts';
import { BOOT } from './kind-of-node.ts';
import type { Scenario } from './scenario.ts';

/**
 * How to stop the world in a phase: RAUC waits for the boot loader in a command that belongs to it. `after` is a command of an
 * earlier phase during which the hold can still be set; `bad` says that the bundle has to be one whose check fails.
 */
export interface HeldPhase {
  readonly phase: Phase;
  readonly hold: string;
  readonly after?: string;
  readonly bad?: true;
}

export const HELD_PHASES: readonly HeldPhase[] = [
  { phase: 'inspecting', hold: 'get-state' },
  { phase: 'installing', hold: 'set-state.B.bad' },
  { phase: 'installed', hold: 'get-state', after: 'set-state.B.bad' },
  { phase: 'activating', hold: 'set-primary.B' },
  { phase: 'trial', hold: 'get-state', after: 'set-primary.B' },
  { phase: 'committing', hold: 'set-state.B.good' },
  { phase: 'rolling-back', hold: 'set-primary.A', bad: true },
];

/** Installs the scenario's bundle, does something while the update stands still in a phase, and returns how lamactl ended. */
export async function duringPhase(
  { homelab, node, bundle }: Scenario,
  { phase, hold, after }: HeldPhase,
  act: () => Promise<unknown>,
): Promise<{ readonly exitCode: number | undefined; readonly all: string }> {
  await node.hold(after ?? hold);
  const install = homelab.lamactl(['install', '--on-node', bundle]);
  if (after) {
    await node.waitUntilHeld(after, BOOT);
    await node.hold(hold);
    await node.release(after);
  }
  await reaches(node, phase);
  await node.waitUntilHeld(hold, BOOT);
  await act();
  await node.release(hold);
  const { exitCode, all } = await install;
  return { exitCode, all: String(all) };
}
