// SPDX-License-Identifier: Apache-2.0
// `npm run vm`: a virtual node to look at, on this terminal's serial console; `-- --display vnc|spice` on a screen.
import { Homelab } from '../homelab.ts';
import { sayOnStderr } from '../say.ts';
import type { Display } from './machine/qemu-command.ts';
import { VirtualMachine } from './machine/virtual-machine.ts';
import { vmDriver } from './vm-driver.ts';

const VIEWERS: Readonly<Record<Display, string>> = {
  none: 'Its serial console is this terminal.',
  vnc: 'Its screen is at vnc://127.0.0.1:5900.',
  spice: 'Its screen is at spice://127.0.0.1:5930.',
};

function displayOf(args: readonly string[]): Display {
  if (args.length === 0) return 'none';
  const [option, value = ''] = args;
  if (option === '--display' && args.length === 2 && Object.hasOwn(VIEWERS, value)) return value as Display;
  process.stderr.write('usage: npm run vm [-- --display spice|vnc]\n');
  process.exit(2);
}

const display = displayOf(process.argv.slice(2));
const onTerminal = display === 'none';
const homelab = await Homelab.create(sayOnStderr, {
  ...vmDriver,
  createNode: (request) => VirtualMachine.create({ ...request, display, onTerminal }),
});
try {
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
} finally {
  process.stdin.setRawMode?.(false);
  await homelab.remove();
}
