// SPDX-License-Identifier: Apache-2.0
// `npm run node`: a node in namespaces to play with, until Ctrl-C.
import { once } from 'node:events';
import { Homelab } from './homelab.ts';
import { optionsOf } from './host/command-line.ts';
import { sayOnStderr } from './host/say.ts';

optionsOf('usage: npm run node\nStarts a node in namespaces to play with, until Ctrl-C.', {});

const homelab = await Homelab.create(sayOnStderr);
try {
  const node = await homelab.addNode('attic', await homelab.image('1'));
  const bundle = await homelab.bundle(await homelab.image('2'));
  await node.start();
  await node.waitForBoot({ timeoutMs: 60_000 });
  process.stdout.write(
    [
      '',
      `The node "attic" runs; its agent listens on ${node.host}:${node.port}. In another terminal:`,
      '',
      `  export LAMACTL_CONFIG=${homelab.contextFile}`,
      '  node dist/lamactl.js status',
      `  node dist/lamactl.js install ${bundle}`,
      `  curl http://${node.host}:9477/metrics`,
      '',
      'Ctrl-C switches it off and takes everything away.',
      '',
    ].join('\n'),
  );
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM'), node.waitForPowerOff({ timeoutMs: 2 ** 31 - 1 })]);
} finally {
  await homelab.remove();
}
