// SPDX-License-Identifier: Apache-2.0
// A process that owns a running node, says so on stdout, and waits to be killed.
import path from 'node:path';
import { sayOnStderr } from '../../../qemu/host/say.ts';
import { buildImage } from '../../../qemu/image/build-image.ts';
import { NamespaceMachine } from '../../../qemu/namespace/namespace-machine.ts';

const image = await buildImage({ version: '1', agent: path.join(import.meta.dirname, 'placeholder-agent.cjs') }, sayOnStderr);
const node = await NamespaceMachine.create({ name: 'orphan', image, say: sayOnStderr });
await node.start();
await node.waitForBoot({ timeoutMs: 60_000 });
process.stdout.write('running\n');
setInterval(() => undefined, 60_000);
