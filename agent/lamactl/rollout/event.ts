// SPDX-License-Identifier: Apache-2.0

/** What happens to a rollout. Nodes are said by their place in the plan; times are milliseconds since the epoch. */
export type RolloutEvent = { readonly atMs: number } & (
  | { readonly type: 'runner-began' | 'time-passed' }
  /** The runner's machine slept: nothing that could not be asked meanwhile was away for that. */
  | { readonly type: 'machine-slept' }
  /** What an administrator says. */
  | { readonly type: 'pause' | 'resume' | 'abort' | 'undo' }
  | { readonly type: 'node-answered'; readonly node: number }
  | { readonly type: 'node-absent'; readonly node: number; readonly why: string }
  /** It never took the request, and from now on refuses it. */
  | { readonly type: 'node-not-started'; readonly node: number }
  /** It is booted into the target, healthy and attested where that is asked for, and committed. */
  | { readonly type: 'node-committed'; readonly node: number; readonly version: string; readonly manifestHash: string }
  /** `again`: nothing is wrong with the version or the node, and another attempt may do. */
  | { readonly type: 'node-failed'; readonly node: number; readonly why: string; readonly again: boolean }
  | { readonly type: 'node-rolled-back'; readonly node: number; readonly why: string }
  | { readonly type: 'node-cancelled'; readonly node: number }
  | { readonly type: 'node-undone'; readonly node: number }
  | { readonly type: 'node-undo-failed'; readonly node: number; readonly why: string }
  | { readonly type: 'recheck-passed' }
  | { readonly type: 'recheck-failed'; readonly node: number; readonly why: string }
);

/** What is to be done, as data. Each can be done twice: who goes on with a rollout does again what may have been begun. */
export type RolloutEffect =
  /** Ask whether the node is there: node-answered, node-absent. */
  | { readonly type: 'probe'; readonly node: number }
  /** Ask for the update, where that was not done, and see it to its end. */
  | { readonly type: 'start'; readonly node: number; readonly attempt: number }
  /** See it to its end if it was asked for: else node-not-started. */
  | { readonly type: 'settle'; readonly node: number; readonly attempt: number }
  /** Give it up, or see it to its end where it is too late for that. */
  | { readonly type: 'cancel'; readonly node: number; readonly attempt: number }
  /** Bring the node back to what it ran before, unless it was updated since. */
  | { readonly type: 'undo'; readonly node: number; readonly attempt: number }
  /** Look at these once more: recheck-passed, recheck-failed. */
  | { readonly type: 'recheck'; readonly nodes: readonly number[] };
