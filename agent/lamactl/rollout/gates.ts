// SPDX-License-Identifier: Apache-2.0
import type { Target } from '../node/node.ts';

/** What lets an update begin on a node, and calls it done. Throws a Failure where it does not. */
export interface TrustGate {
  before(target: Target): Promise<unknown>;
  afterwards(target: Target): Promise<void>;
}

/** How long a cluster may be away whose own server may be the node that has just rebooted. */
export const CLUSTER_PATIENCE_MS = 180_000;

/** What moves the work of a cluster off a node before it reboots. Throws DRAIN_FAILED; one with the fact `cordoned` left the node so. */
export interface DrainGate {
  /** Which of these nodes the cluster has for its servers; asked once without patience. Throws DRAIN_FAILED where it does not know one. Changes nothing. */
  serversAmong(targets: readonly Target[], signal: AbortSignal, patienceMs?: number): Promise<readonly Target[]>;
  drain(target: Target, signal: AbortSignal): Promise<void>;
  /** Lets work back onto a node that drain() closed, and onto no other. */
  release(target: Target, signal: AbortSignal): Promise<void>;
}
