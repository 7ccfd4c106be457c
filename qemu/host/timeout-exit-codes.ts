// SPDX-License-Identifier: Apache-2.0

/** timeout(1) ends so when it had to stop its command, or to kill it. */
export const STOPPED: readonly number[] = [124, 137];
