// SPDX-License-Identifier: Apache-2.0
import type { FollowEvent } from '../fleet/follow.ts';

/** Where the events of the updates that are being followed go. */
export interface ProgressView {
  /** A node accepted an update; its first event will come. */
  started(node: string, operationId: string): void;
  event(node: string, event: FollowEvent): void;
  /** No event will come any more. */
  close(): Promise<void>;
}
