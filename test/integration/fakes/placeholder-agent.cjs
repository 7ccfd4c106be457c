// SPDX-License-Identifier: Apache-2.0
// Stands in for the agent where a test is about the node around it: healthy and committed at once, and alive.
const fs = require('node:fs');

const notifyDescriptor = 3 + process.env.LISTEN_FDNAMES.split(':').indexOf('sdnotify');
fs.writeFileSync('/run/lamadist-agent/gate', 'passed\n');
fs.writeFileSync('/run/lamadist-agent/committed', '');
fs.writeSync(notifyDescriptor, 'READY=1');
setInterval(() => fs.writeSync(notifyDescriptor, 'WATCHDOG=1'), 5000);
