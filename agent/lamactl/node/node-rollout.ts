// SPDX-License-Identifier: Apache-2.0

/** Who holds a rollout, and where it stands, as one node was told. */
export interface KnownRollout {
  readonly id: string;
  /** The epoch that was promised last. */
  readonly epoch: number;
  readonly holder: string;
  /** 0 as long as nothing was written. */
  readonly sequence: number;
  readonly writtenEpoch: number;
  readonly witnesses: readonly string[];
  readonly summary: string;
  readonly ended: boolean;
}

/** What a node keeps of a rollout; plan and progress are empty on a node that is no witness. */
export interface RolloutCopy extends KnownRollout {
  readonly plan: Buffer;
  readonly progress: Buffer;
}

/** A runner's claim on a rollout. */
export interface RolloutClaim {
  readonly rolloutId: string;
  readonly epoch: number;
  readonly holder: string;
}

/** What a runner writes. An empty plan leaves the one that is there. */
export interface RolloutWrite extends RolloutClaim {
  readonly sequence: number;
  readonly witnesses: readonly string[];
  readonly summary: string;
  readonly ended: boolean;
  readonly plan: Uint8Array;
  readonly progress: Uint8Array;
  /** Rollouts that a first record does not have to wait for. */
  readonly replaced: readonly string[];
}

/** Lets a node refuse what a runner says that was fenced off. */
export interface RolloutFence {
  readonly rolloutId: string;
  readonly epoch: number;
}
