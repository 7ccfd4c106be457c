// SPDX-License-Identifier: Apache-2.0
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Phase } from '../../agent/daemon/update/life/state.ts';
import { Homelab } from '../../qemu/homelab.ts';
import type { ImageFile } from '../../qemu/image/build-image.ts';
import { sayOnStderr } from '../../qemu/say.ts';
import { cachedFolder, contentId } from '../../qemu/vm/image/cached-folder.ts';
import type { Photograph, VirtualMachine } from '../../qemu/vm/machine/virtual-machine.ts';
import { vmDriver } from '../../qemu/vm/vm-driver.ts';
import { onNode, type Scenario } from '../integration/node/scenario.ts';

/** The stages of an update, by the phase that lamactl was told of last. */
const STAGES = {
  inspecting: 'download',
  installing: 'write',
  installed: 'activation',
  activating: 'activation',
  'pending-reboot': 'first boot',
  trial: 'gate',
  checking: 'gate',
  committing: 'commit',
  committed: 'commit',
} as const satisfies Partial<Record<Phase, string>>;
type Stage = (typeof STAGES)[keyof typeof STAGES];

/** How many moments of each stage are tried. */
const QUOTAS: Readonly<Record<Stage, number>> = { download: 2, write: 6, activation: 2, 'first boot': 4, gate: 3, commit: 3 };

const PAUSE_MS = 700;
/** After the commit there is still something to lose. */
const AFTERWARDS_MS = 8_000;

/** A moment of an update: what of the machine would outlive a power cut, and what lamactl had been told. */
export interface Moment extends Photograph {
  readonly stage: Stage;
  readonly told: Phase;
  /** Since the update was asked for. */
  readonly afterMs: number;
}

const MOMENTS = 'moments.json';
/** About 1.5 GB each. */
const MOST_RECORDINGS = 2;

/** An update that was photographed: the folder with its photographs, and its moments. */
export interface Recording {
  readonly folder: string;
  readonly moments: readonly Moment[];
}

/**
 * An update of a node from A to B, photographed all the time: from the cache, or made now. What version 2 has beside the plain
 * image is in `files`.
 */
export async function recordedUpdate(files: readonly ImageFile[]): Promise<Recording> {
  const images = await Homelab.create(sayOnStderr, vmDriver);
  const ids = [(await images.image('1')).path, (await images.image('2', { files })).path, await readFile(import.meta.filename, 'utf8')];
  await images.remove();
  const folder = await cachedFolder('recorded', contentId(ids), MOST_RECORDINGS, (target) =>
    onNode({ files, ignoresDenials: true }, async (scenario) => {
      const moments = await photographUpdate(scenario);
      await (scenario.node as VirtualMachine).keepPhotographs(target);
      await writeFile(path.join(target, MOMENTS), JSON.stringify(moments));
    }),
  );
  return { folder, moments: JSON.parse(await readFile(path.join(folder, MOMENTS), 'utf8')) as Moment[] };
}

async function photographUpdate({ homelab, node }: Scenario): Promise<readonly Moment[]> {
  const machine = node as VirtualMachine;
  const startedMs = performance.now();
  let told: Phase | undefined;
  const install = homelab.lamactl(['install', '--output', 'json', homelab.bundlePath('2')]);
  install.stdout?.on('data', (text: Buffer) => {
    for (const [, phase] of text.toString().matchAll(/"phase": ?"([a-z-]+)"/g)) told = phase as Phase;
  });
  let endedMs: number | undefined;
  void install.then(() => {
    endedMs = performance.now();
  });
  const moments: Moment[] = [];
  while (endedMs === undefined || performance.now() < endedMs + AFTERWARDS_MS) {
    const [phase, stage] = [told, told && STAGES[told as keyof typeof STAGES]];
    if (phase && stage) {
      const afterMs = Math.round(performance.now() - startedMs);
      moments.push({ ...(await machine.photograph(String(moments.length))), stage, told: phase, afterMs });
    }
    await sleep(PAUSE_MS);
  }
  const { exitCode, all } = await install;
  if (exitCode !== 0) throw new Error(`Cannot record the update: lamactl ended with ${exitCode}: ${all}`);
  return moments;
}

/** Twenty of them, spread evenly over each stage; of every stage one, then of every stage another, and so on. */
export function chosenMoments(moments: readonly Moment[]): readonly Moment[] {
  const chosen = Object.entries(QUOTAS).flatMap(([stage, quota]) => {
    const all = moments.filter((moment) => moment.stage === stage);
    if (all.length < quota) throw new Error(`Cannot choose ${quota} moments of "${stage}": ${all.length} were seen`);
    return Array.from({ length: quota }, (_, index) => ({ round: index, moment: all[Math.floor(((index + 0.5) * all.length) / quota)]! }));
  });
  return chosen.toSorted((a, b) => a.round - b.round).map(({ moment }) => moment);
}
