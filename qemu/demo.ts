// SPDX-License-Identifier: Apache-2.0
// `npm run demo`: an update that commits, and one that rolls back by itself and says why, on a node in namespaces; with
// `-- --vm` the same in a virtual machine, from the firmware on.
import type { Homelab } from './homelab.ts';
import { optionsOf } from './host/command-line.ts';
import { until } from './host/deadline.ts';
import { sayOnStderr } from './host/say.ts';
import { withLoggedHomelab } from './logged-homelab.ts';
import { namespaceDriver } from './namespace/namespace-driver.ts';
import { vmDriver } from './vm/vm-driver.ts';

const USAGE = `usage: npm run demo [-- --vm]
Tells the main job on a node in namespaces, or in a virtual machine.`;

const { vm: IN_VM = false } = optionsOf(USAGE, { vm: { type: 'boolean' } });
const BOOT = { timeoutMs: IN_VM ? 900_000 : 60_000 };
/** Between two questions, of which each costs something. */
const PAUSE_MS = IN_VM ? 2_000 : 50;
const HOW = IN_VM
  ? 'The node boots in a virtual machine: UEFI with Secure Boot, a signed UKI, dm-verity, its slots and its data encrypted for its TPM'
  : 'The node boots: systemd, D-Bus, RAUC and lamadist-agent in namespaces of their own, with two slots on loop devices';

/** A health check that the third version brings along, and does not pass. */
const BROKEN_WEB_SERVER = {
  path: '/usr/lib/lamadist-agent/health.d/web-server.yaml',
  content: [
    'description: The web server answers',
    'severity: required',
    'interval: 1s',
    'timeout: 2s',
    'retries: 2',
    'condition: { type: http, url: "http://127.0.0.1:1/" }',
    '',
  ].join('\n'),
};

const tell = (text: string): void => {
  process.stdout.write(`\n== ${text}\n`);
};

async function show(homelab: Homelab, expectedExitCode: number, ...args: string[]): Promise<void> {
  process.stdout.write(`$ lamactl ${args.join(' ')}\n`);
  const { exitCode } = await homelab.lamactl(args, { stdio: ['ignore', 'inherit', 'inherit'] });
  if (exitCode !== expectedExitCode)
    throw new Error(`Cannot go on: lamactl ended with ${exitCode}, and the story wants ${expectedExitCode}`);
}

/** A node that has just booted runs its checks first; until then its health is unknown. */
async function healthy(homelab: Homelab): Promise<void> {
  await until(
    'the node to be healthy',
    BOOT.timeoutMs,
    async () => {
      const { exitCode } = await homelab.lamactl(['status']);
      return exitCode === 0 || undefined;
    },
    PAUSE_MS,
  );
}

async function story(homelab: Homelab): Promise<void> {
  tell('Three versions of an image for a node named "attic": 1 is installed, 2 is good, 3 brings a web server that does not answer');
  const first = await homelab.image('1');
  const second = await homelab.bundle(await homelab.image('2'));
  const third = await homelab.bundle(await homelab.image('3', { files: [BROKEN_WEB_SERVER] }));

  tell(HOW);
  const attic = await homelab.addNode('attic', first);
  await attic.start();
  await attic.waitForBoot(BOOT);
  await healthy(homelab);
  await show(homelab, 0, 'status');

  tell('Version 2: installed into the other slot, booted on trial, checked, committed');
  await show(homelab, 0, 'install', second);
  await show(homelab, 0, 'status');

  tell('Version 3: the slot boots, a required check fails, and the node goes back to version 2 by itself');
  await show(homelab, 9, 'install', third);
  await healthy(homelab);
  await show(homelab, 0, 'history');
  await show(homelab, 0, 'status');

  tell('Version 3 once more: the node remembers, and refuses unless it is forced to');
  await show(homelab, 8, 'install', third);
  tell(`That is the main job. "npm run ${IN_VM ? 'vm' : 'node'}" gives you such a node to play with.`);
}

const startedMs = performance.now();
const title = `npm run demo${IN_VM ? ', in a virtual machine' : ''}`;
await withLoggedHomelab(title, sayOnStderr, IN_VM ? vmDriver : namespaceDriver, story);
process.stdout.write(`It took ${Math.round((performance.now() - startedMs) / 1000)} s.\n`);
