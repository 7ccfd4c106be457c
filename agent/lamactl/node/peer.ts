// SPDX-License-Identifier: Apache-2.0
import type { Target } from './node.ts';
import type { Peer } from './node-update.ts';

/** A node as other nodes reach it. */
export const peerOf = ({ tlsName, address }: Target): Peer => ({ name: tlsName, address });
