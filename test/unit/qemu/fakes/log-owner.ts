// SPDX-License-Identifier: Apache-2.0
// usage: log-owner.ts CONSOLE: makes a node whose logs are kept, says so, and waits to be killed.
import type { NodeRequest } from '../../../../qemu/driver.ts';
import { KeptLogs } from '../../../../qemu/kept-logs.ts';
import { loggingDriver } from './logging-driver.ts';

const [, , consoleFile = ''] = process.argv;
await new KeptLogs('a test that hangs').around(loggingDriver(consoleFile)).createNode({ name: 'attic' } as NodeRequest);
process.stdout.write('made\n');
setInterval(() => {}, 60_000);
