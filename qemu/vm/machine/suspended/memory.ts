// SPDX-License-Identifier: Apache-2.0
import { until } from '../../../host/deadline.ts';
import { WORK } from '../../../root/in-root.ts';
import type { Qmp } from '../qmp.ts';
import { MEMORY_FILE } from './suspended-state.ts';

const MOVE_MS = 120_000;
const MEMORY = { uri: `file:${WORK}/${MEMORY_FILE}` };

/** QEMU's options for a machine that loadMemory() is to fill. */
export const AWAITS_MEMORY = ['-incoming', 'defer'] as const;

/** Stops the machine in the middle of what it does, writes its RAM and its devices into its folder, and ends QEMU. */
export async function saveMemory(machine: string, qmp: Qmp): Promise<void> {
  await qmp.execute('stop');
  await qmp.execute('migrate-set-parameters', { 'max-bandwidth': 0 });
  await qmp.execute('migrate', MEMORY);
  await moved(machine, qmp, 'query-migrate', 'completed');
  await qmp.execute('quit');
}

/** Has the machine go on from what saveMemory() wrote. */
export async function loadMemory(machine: string, qmp: Qmp): Promise<void> {
  await qmp.execute('migrate-incoming', MEMORY);
  await moved(machine, qmp, 'query-status', 'paused');
  await qmp.execute('cont');
}

async function moved(machine: string, qmp: Qmp, query: 'query-status' | 'query-migrate', wanted: string): Promise<void> {
  await until(`${machine}'s memory to be ${wanted}`, MOVE_MS, async () => {
    const { status } = (await qmp.execute(query)) as { readonly status?: string };
    if (status === 'failed') throw new Error(`Cannot move the memory of ${machine}: see its processes.log`);
    return status === wanted || undefined;
  });
}
