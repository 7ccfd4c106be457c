// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Probes } from '../../health/probe.ts';
import { errorReason } from './error-reason.ts';
import { ignoreLateErrors } from './late-errors.ts';

/** Connects and hangs up: nothing is sent. */
export const tcpProbe: Probes['tcp'] = async ({ host, port }, signal) => {
  signal.throwIfAborted();
  const socket = ignoreLateErrors(connect({ host, port }));
  try {
    await once(socket, 'connect', { signal });
    return { holds: true, detail: `${host} accepts connections on port ${port}` };
  } catch (error) {
    signal.throwIfAborted();
    return { holds: false, detail: `cannot connect to ${host}, port ${port}: ${errorReason(error)}` };
  } finally {
    socket.destroy();
  }
};
