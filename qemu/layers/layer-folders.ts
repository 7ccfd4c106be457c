// SPDX-License-Identifier: Apache-2.0
import path from 'node:path';

const REPOSITORY = path.resolve(import.meta.dirname, '../..');

/** The distribution's layer. */
export const LAYER = path.join(REPOSITORY, 'meta-lamadist');
/** The layer of the agent and of lamactl. */
export const AGENT_LAYER = path.join(REPOSITORY, 'recipes-agent');
