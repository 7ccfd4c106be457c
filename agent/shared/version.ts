// SPDX-License-Identifier: Apache-2.0
import { version } from '../../package.json';

/** The version of the agent and of lamactl, which are released together. */
export const VERSION: string = version;
