// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../shared/failure.ts';
import { type FollowEnd, follow } from '../fleet/follow.ts';
import type { BundleFile } from '../node/bundle-file.ts';
import type { Update } from '../node/node-update.ts';
import { serve } from '../node/serve.ts';
import type { NodeAsking } from './node-asking.ts';

export interface UpdateWatchParts {
  /** Has a node ready to go down; or tells why it is not to. Throws DRAIN_FAILED. */
  readonly ready: (node: number, signal: AbortSignal) => Promise<string>;
  /** A bundle on this machine, which nodes ask for parts of. */
  readonly file?: BundleFile;
  /** Hears of each new phase of a node's update. */
  readonly onUpdate: (node: number, update: Update) => void;
}

/** Sees the updates of a rollout to their ends: gives out the bundle, and has nodes ready before they reboot. */
export class UpdateWatch {
  constructor(
    private readonly asking: NodeAsking,
    private readonly parts: UpdateWatchParts,
  ) {}

  async end(node: number, operationId: string, signal: AbortSignal): Promise<FollowEnd> {
    const { connect, clock, timeoutMs, plan } = this.asking.parts;
    const { file, onUpdate } = this.parts;
    const target = this.asking.target(node);
    const over = new AbortController();
    const stop = AbortSignal.any([signal, over.signal]);
    const served = file ? serve(target, operationId, file, { connect, clock, timeoutMs, signal: stop }) : undefined;
    const options = { connect, clock, signal, timeoutMs, waitMs: plan.options.nodeMs, met: true };
    let isReady = false;
    try {
      for await (const event of follow(target, operationId, options)) {
        if (event.type === 'progress' || event.type === 'result') onUpdate(node, event.update);
        if (event.type === 'progress' && !isReady && waitsForReboot(event.update)) {
          isReady = true;
          await this.#rebootReady(node, operationId, signal);
        }
        if (event.type !== 'progress' && event.type !== 'unreachable') return event;
      }
    } finally {
      over.abort();
      await served;
    }
    throw new Failure('INTERNAL', `Cannot follow the update of ${target.name}: it told no end`);
  }

  /** A node that is not to go down, or cannot be drained, keeps its version, and its work. */
  async #rebootReady(node: number, operationId: string, signal: AbortSignal): Promise<void> {
    const only = { operationId, rolloutFence: this.asking.parts.claim };
    try {
      const why = await this.parts.ready(node, signal);
      if (why !== '') throw new Failure('DRAIN_FAILED', `Cannot reboot ${this.asking.target(node).name}: ${why}`);
    } catch (thrown) {
      if (signal.aborted) throw thrown;
      await this.asking.insist(node, signal, (connection) =>
        connection.rollBack('The node could not be made ready for its reboot', only).catch(unlessRollingBack),
      );
      throw thrown;
    }
    await this.asking.insist(node, signal, (connection) => connection.reboot(only).catch(unlessRebooting));
  }
}

/** The node will boot into it, and has not: to roll it back costs no reboot. */
export const waitsForBoot = ({ phase }: Update): boolean => phase === 'activating' || phase === 'pending-reboot';

const waitsForReboot = ({ phase, rebootPolicy }: Update): boolean => phase === 'pending-reboot' && rebootPolicy === 'manual';

/** Why an update came to this end. */
export function whyOf(end: FollowEnd): string {
  switch (end.type) {
    case 'result':
      return end.update.reason?.message ?? `its update ended as ${end.update.phase}`;
    case 'left':
      return 'its update did not come to an end in time';
    case 'error':
      return end.failure.message;
  }
}

/** A request whose answer was lost comes twice. */
function unlessRebooting(thrown: unknown): void {
  if (Failure.from(thrown).code !== 'REBOOT_REFUSED') throw thrown;
}

/** Likewise. */
export function unlessRollingBack(thrown: unknown): void {
  if (Failure.from(thrown).code !== 'NOTHING_TO_ROLL_BACK') throw thrown;
}
