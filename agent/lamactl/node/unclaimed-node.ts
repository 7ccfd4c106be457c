// SPDX-License-Identifier: Apache-2.0
import { enrolmentCalls } from './calls/access.ts';
import { Channel } from './channel.ts';
import type { AttestationCalls, ConnectOptions } from './node.ts';
import type { EnrolmentCalls } from './node-access.ts';
import type { Stranger } from './stranger.ts';

/** A node without an administrator, once its certificate was compared. */
export interface UnclaimedNode extends EnrolmentCalls, AttestationCalls {
  close(): void;
}

const NOBODY = Buffer.alloc(0);

/** Opens a node that has no administrator, and no other than the one that showed this very certificate. */
export async function connectUnclaimed({ address, certificate }: Stranger, options: ConnectOptions): Promise<UnclaimedNode> {
  const identity = { ca: Buffer.from(certificate.toString()), certificate: NOBODY, key: NOBODY };
  const channel = new Channel({ name: address, address, tlsName: 'unclaimed', labels: {}, identity }, options);
  return { ...enrolmentCalls(channel, certificate), close: () => channel.close() };
}
