// SPDX-License-Identifier: Apache-2.0
// An agent that comes up and never commits.
const fs = require('node:fs');

fs.writeSync(3 + process.env.LISTEN_FDNAMES.split(':').indexOf('sdnotify'), 'READY=1');
setInterval(() => fs.writeSync(3 + process.env.LISTEN_FDNAMES.split(':').indexOf('sdnotify'), 'WATCHDOG=1'), 5000);
