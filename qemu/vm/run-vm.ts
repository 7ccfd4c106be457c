// SPDX-License-Identifier: Apache-2.0
// `npm run vm`: a virtual node to look at, on this terminal's serial console; `-- --display vnc|spice` on a screen.

import type { Driver } from '../driver.ts';
import type { Homelab } from '../homelab.ts';
import { optionsOf, refuse } from '../host/command-line.ts';
import { sayOnStderr } from '../host/say.ts';
import { withLoggedHomelab } from '../logged-homelab.ts';
import type { Display } from './machine/qemu-command.ts';
import { VirtualMachine } from './machine/virtual-machine.ts';
import { vmDriver } from './vm-driver.ts';

const VIEWERS: Readonly<Record<Display, string>> = {
  none: 'Its serial console is this terminal.',
  vnc: 'Its screen is at vnc://127.0.0.1:5900.',
  spice: 'Its screen is at spice://127.0.0.1:5930.',
};

const USAGE = `usage: npm run vm [-- --display spice|vnc]
Starts a fresh virtual node to look at: on this terminal's serial console, or on a screen.`;

function displayOf(value = 'none'): Display {
  if (!Object.hasOwn(VIEWERS, value)) refuse(`There is no display "${value}": --display takes spice or vnc`, USAGE);
  return value as Display;
}

const display = displayOf(optionsOf(USAGE, { display: { type: 'string' } }).display);
const onTerminal = display === 'none';
const driver: Driver = { ...vmDriver, createNode: (request) => VirtualMachine.create({ ...request, display, onTerminal }) };

/** Starts the node, says how to reach it, and waits until somebody ends it. */
async function show(homelab: Homelab): Promise<void> {
  const node = await homelab.addNode('attic', await homelab.image('1'));
  const bundle = await homelab.bundle(await homelab.image('2'));
  await node.start();
  process.stdout.write(
    [
      '',
      `The node "attic" boots for the first time, which takes some minutes. ${VIEWERS[display]} Its agent will listen on ${node.host}:${node.port}. In another terminal:`,
      '',
      `  export LAMACTL_CONFIG=${homelab.contextFile}`,
      '  node dist/lamactl.js status',
      `  node dist/lamactl.js install ${bundle}`,
      '',
      onTerminal
        ? '"systemctl poweroff" in its shell ends it, and Ctrl-A X at any time (Ctrl-A twice is one for the shell).'
        : 'Ctrl-C ends it.',
      '',
    ].join('\n'),
  );
  if (onTerminal) {
    // Every key is the machine's, but for QEMU's own Ctrl-A.
    process.stdin.setRawMode?.(true);
    process.on('SIGINT', () => {});
  }
  const interrupted = new Promise((resolve) => process.once('SIGTERM', resolve));
  const ctrlC = new Promise((resolve) => !onTerminal && process.once('SIGINT', resolve));
  await Promise.race([interrupted, ctrlC, node.waitForPowerOff({ timeoutMs: 2 ** 31 - 1 })]);
}

await withLoggedHomelab(`npm run vm, ${display}`, sayOnStderr, driver, show).finally(() => process.stdin.setRawMode?.(false));
