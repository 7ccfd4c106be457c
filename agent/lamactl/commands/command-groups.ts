// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import { addAttest } from './attest/attest.ts';
import { addAudit } from './audit/audit.ts';
import { addCompletion } from './itself/completion.ts';
import { addMan } from './itself/man.ts';
import { addVersion } from './itself/version.ts';
import { addDiscover } from './joining/discover.ts';
import { addEnroll } from './joining/enroll.ts';
import { addDu } from './node/du.ts';
import { addEvents } from './node/events.ts';
import { addHealth } from './node/health.ts';
import { addInventory } from './node/inventory.ts';
import { addLogs } from './node/logs.ts';
import { addPosture } from './node/posture.ts';
import { addReboot } from './node/reboot.ts';
import { addStatus } from './node/status.ts';
import { addUnits } from './node/units.ts';
import { addPki } from './pki/pki.ts';
import { addRollout } from './rollout/rollout.ts';
import type { Run } from './session.ts';
import { addBundles } from './update/bundles.ts';
import { addCancel } from './update/cancel.ts';
import { addHistory } from './update/history.ts';
import { addInspect } from './update/inspect.ts';
import { addInstall } from './update/install.ts';
import { addPause } from './update/pause.ts';
import { addResume } from './update/resume.ts';
import { addRollback } from './update/rollback.ts';
import { addUpdates } from './update/updates.ts';
import { addWatch } from './update/watch.ts';

type Add = (program: Command, run: Run) => void;

/** Every command, under the headings of lamactl's help. */
export const COMMAND_GROUPS: readonly (readonly [heading: string, commands: readonly Add[]])[] = [
  ['Nodes:', [addStatus, addHealth, addInventory, addLogs, addEvents, addUnits, addDu, addPosture, addReboot]],
  [
    'Updates of nodes:',
    [addInstall, addWatch, addPause, addResume, addCancel, addRollback, addHistory, addUpdates, addInspect, addBundles],
  ],
  ['Updates of a fleet:', [addRollout]],
  ['Trust:', [addDiscover, addEnroll, addPki, addAttest, addAudit]],
  ['lamactl itself:', [addVersion, addCompletion, addMan]],
];
