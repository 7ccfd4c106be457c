// SPDX-License-Identifier: Apache-2.0
import { version } from '../../package.json';

/** The version of this lamactl. */
export const VERSION: string = version;
