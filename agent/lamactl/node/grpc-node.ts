// SPDX-License-Identifier: Apache-2.0
import { accessCalls } from './calls/access.ts';
import { attestationCalls } from './calls/attestation.ts';
import { deviceCalls } from './calls/device.ts';
import { recordCalls } from './calls/records.ts';
import { rolloutCalls } from './calls/rollouts.ts';
import { serveCalls } from './calls/serve-bundle.ts';
import { getStatus } from './calls/status.ts';
import { updateCalls } from './calls/updates.ts';
import { Channel } from './channel.ts';
import type { Connect } from './node.ts';

/** Opens a node over gRPC; what it can be asked is in calls/, a file for each subject. */
export const connectGrpc: Connect = async (target, options) => {
  const channel = new Channel(target, options);
  return {
    ...deviceCalls(channel),
    status: () => getStatus(channel),
    ...recordCalls(channel),
    ...updateCalls(channel),
    ...serveCalls(channel),
    ...rolloutCalls(channel),
    ...attestationCalls(channel),
    ...accessCalls(channel),
    close: () => channel.close(),
  };
};
