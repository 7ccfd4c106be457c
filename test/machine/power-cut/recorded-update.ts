// SPDX-License-Identifier: Apache-2.0
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Phase } from '../../../agent/daemon/update/life/state.ts';
import { cachedFolder } from '../../../qemu/cache/cached-folder.ts';
import { codeId } from '../../../qemu/cache/code-id.ts';
import { contentId } from '../../../qemu/cache/content-id.ts';
import { Homelab } from '../../../qemu/homelab.ts';
import { sayOnStderr } from '../../../qemu/host/say.ts';
import type { ImageFile } from '../../../qemu/image/product-files.ts';
import { STARTED_WITH } from '../../../qemu/vm/machine/started-with.ts';
import type { VirtualMachine } from '../../../qemu/vm/machine/virtual-machine.ts';
import { vmDriver } from '../../../qemu/vm/vm-driver.ts';
import { QUICK } from '../../integration/node/kind-of-node.ts';
import { nothingWasDenied, onNode, type Scenario } from '../../integration/node/scenario.ts';
import type { UpdateRecording, UpdateSnapshot } from './update-moments.ts';

/** Short beside the two seconds in which an update is activated. */
const PAUSE_MS = 200;
/** After the commit there is still something to lose. */
const AFTERWARDS_MS = 8_000;
const HELD_MS = 5_000;
/** What RAUC asks of the firmware when the update is committed, before that is done and after it. Whoever goes back has to let go of them. */
export const COMMIT_HOLDS = ['set-state.B.good', 'set-state.B.good.done'] as const;

/** Its logs are none of the test's that cuts its power. */
const TITLE = 'Recording an update';
const RECORDING = 'recording.json';
/** What makes a recording what it is, beside the images. */
const CODE = ['test/machine/power-cut/recorded-update.ts', 'qemu/vm/machine/recording', ...STARTED_WITH];
/** About 500 MB each. */
const MOST_RECORDINGS = 2;

/** An update that was recorded, and the folder to replay it from. */
export interface RecordedUpdate {
  readonly folder: string;
  readonly recording: UpdateRecording;
}

/**
 * An update of a node from A to B, with snapshots all along: from the cache, or made now. What version 2 has beside the plain image
 * is in `files`.
 */
export async function recordedUpdate(files: readonly ImageFile[]): Promise<RecordedUpdate> {
  const images = await Homelab.create(sayOnStderr, vmDriver);
  const ids = [(await images.image('1')).path, (await images.image('2', { files })).path, await codeId(CODE)];
  await images.remove();
  const folder = await cachedFolder('recorded', contentId(ids), MOST_RECORDINGS, (target) =>
    onNode({ files, ignoresDenials: true, title: TITLE }, async (scenario) => {
      const seen = await recordUpdate(scenario);
      // Afterwards it is off, and nobody can ask it.
      await nothingWasDenied(scenario.homelab);
      const places = await (scenario.node as VirtualMachine).recorder.keepRecording(target);
      await writeFile(path.join(target, RECORDING), JSON.stringify({ ...seen, places } satisfies UpdateRecording));
    }),
  );
  return { folder, recording: JSON.parse(await readFile(path.join(folder, RECORDING), 'utf8')) as UpdateRecording };
}

async function recordUpdate({ homelab, node }: Scenario): Promise<Omit<UpdateRecording, 'places'>> {
  const machine = node as VirtualMachine;
  for (const command of COMMIT_HOLDS) await machine.hold(command);
  const startedMs = performance.now();
  const sinceMs = () => Math.round(performance.now() - startedMs);
  let told: Phase | undefined;
  const install = homelab.lamactl(['install', '--output', 'json', homelab.bundlePath('2')]);
  install.stdout?.on('data', (text: Buffer) => {
    for (const [, phase] of text.toString().matchAll(/"phase": ?"([a-z-]+)"/g)) told = phase as Phase;
  });
  let endedMs: number | undefined;
  void install.then(() => {
    endedMs = sinceMs();
  });
  const snapshots: UpdateSnapshot[] = [];
  let commit: Promise<UpdateRecording['chosen'] | Error> | undefined;
  while (endedMs === undefined || sinceMs() < endedMs + AFTERWARDS_MS) {
    const phase = told;
    if (phase) snapshots.push({ ...(await machine.recorder.takeSnapshot()), told: phase, afterMs: sinceMs() });
    if (phase === 'checking') commit ??= holdCommit(machine, sinceMs).catch((error: Error) => error);
    await sleep(PAUSE_MS);
  }
  const { exitCode, all } = await install;
  if (exitCode !== 0) throw new Error(`Cannot record the update: lamactl ended with ${exitCode}: ${all}`);
  const chosen = (await commit) ?? new Error('Cannot record the update: lamactl was never told of its checks');
  if (chosen instanceof Error) throw chosen;
  return { snapshots, chosen, firstWriteBytes: await machine.recorder.firstWriteTo('root-b') };
}

/** Stops the world before the new slot becomes the firmware's first choice, and right after it. */
async function holdCommit(machine: VirtualMachine, sinceMs: () => number): Promise<UpdateRecording['chosen']> {
  const [before, after] = COMMIT_HOLDS;
  await machine.waitUntilHeld(before, QUICK);
  await sleep(HELD_MS);
  const earliestMs = sinceMs();
  await machine.release(before);
  await machine.waitUntilHeld(after, QUICK);
  const latestMs = sinceMs();
  await sleep(HELD_MS);
  await machine.release(after);
  return { earliestMs, latestMs };
}
