// SPDX-License-Identifier: Apache-2.0
import { Failure, type FailureCode } from '../../shared/failure.ts';
import { askOne } from '../fleet/ask.ts';
import { type FollowEnd, follow } from '../fleet/follow.ts';
import type { BundleFile } from '../node/bundle-file.ts';
import type { Connect, NodeConnection, Target, Update, UrlAccess } from '../node/node.ts';
import type { RolloutClaim } from '../node/node-rollout.ts';
import { hasEnded, judgeNode } from '../node/node-state.ts';
import { serve } from '../node/serve.ts';
import type { Clock } from '../world.ts';
import type { RolloutEffect, RolloutEvent } from './event.ts';
import { operationIdOf } from './operation-id.ts';
import type { Plan } from './plan.ts';

/** What lets an update begin on a node, and calls it done. Throws a Failure where it does not. */
export interface TrustGate {
  before(target: Target): Promise<unknown>;
  afterwards(target: Target): Promise<void>;
}

/** What moves the work of a cluster off a node before it reboots. Throws DRAIN_FAILED, and leaves the node as it was then. */
export interface DrainGate {
  drain(target: Target, signal: AbortSignal): Promise<void>;
  /** Lets work back onto a node that drain() closed, and onto no other. */
  release(target: Target, signal: AbortSignal): Promise<void>;
}

export interface WorkParts {
  readonly plan: Plan;
  readonly claim: RolloutClaim;
  /** By the place of each node in the plan. */
  readonly targets: readonly Target[];
  readonly connect: Connect;
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** A bundle on this machine, which nodes ask for parts of. */
  readonly file?: BundleFile;
  readonly urlAccess?: UrlAccess;
  readonly trust?: TrustGate;
  readonly drain?: DrainGate;
  /** Hears of each new phase of a node's update. */
  readonly onUpdate: (node: number, update: Update) => void;
}

type Outcome = RolloutEvent extends infer Event ? (Event extends RolloutEvent ? Omit<Event, 'atMs'> : never) : never;

/** Nothing is wrong with node or version: another attempt may do. */
const AGAIN: ReadonlySet<string> = new Set([
  'CLIENT_GONE',
  'DOWNLOAD_FAILED',
  'INSTALL_INTERRUPTED',
  'BUS_UNAVAILABLE',
  'RAUC_UNAVAILABLE',
]);
const PASSING: ReadonlySet<FailureCode> = new Set(['NODE_UNREACHABLE', 'DEADLINE_EXCEEDED', 'UNAUTHENTICATED']);
const PAUSE_MS = 2_000;
/** How long a node may take to be well again after a commit. */
const SETTLE_MS = 120_000;

/** Carries out the effects of a rollout on its nodes. */
export class NodeWork {
  constructor(private readonly parts: WorkParts) {}

  /** What came of it. Throws ROLLOUT_TAKEN_OVER, and whatever it throws once the signal is aborted means nothing. */
  async carryOut(effect: RolloutEffect, signal: AbortSignal): Promise<Outcome> {
    switch (effect.type) {
      case 'probe':
        return this.#probe(effect.node);
      case 'recheck':
        return this.#recheck(effect.nodes);
      case 'start':
        return this.#guarded(effect.node, signal, () => this.#start(effect.node, effect.attempt, signal));
      case 'settle':
        return this.#guarded(effect.node, signal, () => this.#settle(effect.node, effect.attempt, signal));
      case 'cancel':
        return this.#guarded(effect.node, signal, () => this.#cancel(effect.node, effect.attempt, signal));
      case 'undo':
        return this.#undoGuarded(effect.node, effect.attempt, signal);
    }
  }

  async #probe(node: number): Promise<Outcome> {
    const { connect, timeoutMs } = this.parts;
    const answer = await askOne(this.#target(node), connect, { timeoutMs }, (connection) => connection.device());
    return answer.ok ? { type: 'node-answered', node } : { type: 'node-absent', node, why: answer.failure.message };
  }

  async #recheck(nodes: readonly number[]): Promise<Outcome> {
    const wells = await Promise.all(nodes.map(async (node) => ({ node, why: await this.#whyUnwell(node, undefined) })));
    const unwell = wells.find(({ why }) => why !== '');
    return unwell ? { type: 'recheck-failed', ...unwell } : { type: 'recheck-passed' };
  }

  /** What a node refuses is an outcome; that another runner holds the rollout is none. */
  async #guarded(node: number, signal: AbortSignal, work: () => Promise<Outcome>): Promise<Outcome> {
    try {
      return await work();
    } catch (thrown) {
      const failure = Failure.from(thrown);
      if (signal.aborted || failure.code === 'ROLLOUT_TAKEN_OVER') throw failure;
      return { type: 'node-failed', node, why: failure.message, again: AGAIN.has(failure.code) };
    }
  }

  async #start(node: number, attempt: number, signal: AbortSignal): Promise<Outcome> {
    const { plan, urlAccess, trust, drain, claim } = this.parts;
    const target = this.#target(node);
    const operationId = this.#operationId(node, attempt);
    const { gates: _g, window, force, allowDowngrade, bytesPerSecond } = plan.options;
    await this.#insist(node, signal, async (connection) => {
      await connection.takeRollout(claim);
      const known = await this.#known(connection, operationId);
      if (known) return;
      await trust?.before(target);
      await connection.install({
        source: plan.bundle.source,
        rebootPolicy: drain ? 'manual' : 'automatic',
        force,
        allowDowngrade,
        bytesPerSecond,
        window,
        operationId,
        rolloutFence: claim,
        ...(urlAccess && { urlAccess }),
      });
    });
    return this.#see(node, operationId, signal);
  }

  async #settle(node: number, attempt: number, signal: AbortSignal): Promise<Outcome> {
    const operationId = this.#operationId(node, attempt);
    const known = await this.#insist(node, signal, async (connection) => {
      await connection.takeRollout(this.parts.claim);
      return this.#known(connection, operationId);
    });
    return known ? this.#see(node, operationId, signal) : { type: 'node-not-started', node };
  }

  async #cancel(node: number, attempt: number, signal: AbortSignal): Promise<Outcome> {
    const { claim } = this.parts;
    const operationId = this.#operationId(node, attempt);
    const known = await this.#insist(node, signal, async (connection) => {
      await connection.takeRollout(claim);
      const update = await this.#known(connection, operationId);
      if (!update || hasEnded(update.phase)) return update;
      await connection.cancel('The rollout was given up', { operationId, rolloutFence: claim }).catch(unlessTooLate);
      return update;
    });
    if (!known) return { type: 'node-cancelled', node };
    const outcome = await this.#see(node, operationId, signal);
    return outcome.type === 'node-failed' ? { type: 'node-cancelled', node } : outcome;
  }

  async #undoGuarded(node: number, attempt: number, signal: AbortSignal): Promise<Outcome> {
    try {
      return await this.#undo(node, attempt, signal);
    } catch (thrown) {
      const failure = Failure.from(thrown);
      if (signal.aborted || failure.code === 'ROLLOUT_TAKEN_OVER') throw failure;
      return { type: 'node-undo-failed', node, why: failure.message };
    }
  }

  async #undo(node: number, attempt: number, signal: AbortSignal): Promise<Outcome> {
    const { claim, drain } = this.parts;
    const target = this.#target(node);
    const operationId = this.#operationId(node, attempt);
    const last = await this.#insist(node, signal, async (connection) => {
      await connection.takeRollout(claim);
      return connection.update('');
    });
    if (last?.operationId !== operationId) {
      const known = await this.#insist(node, signal, (connection) => this.#known(connection, operationId));
      // An attempt that never reached the node changed nothing there.
      if (known?.phase !== 'committed') return { type: 'node-undone', node };
      return { type: 'node-undo-failed', node, why: 'it was updated by somebody else since' };
    }
    if (last.phase === 'rolled-back' || last.phase === 'failed') return { type: 'node-undone', node };
    if (drain && this.#isInCluster(target)) await drain.drain(target, signal);
    try {
      if (last.phase !== 'rolling-back') {
        await this.#insist(node, signal, (connection) =>
          connection.rollBack('The rollout was undone', { operationId, rolloutFence: claim }).catch(unlessRollingBack),
        );
      }
      const end = await this.#follow(node, operationId, signal);
      if (end.type === 'result' && end.update.phase !== 'committed') return { type: 'node-undone', node };
      return { type: 'node-undo-failed', node, why: whyOf(end) };
    } finally {
      if (drain && this.#isInCluster(target)) await drain.release(target, signal);
    }
  }

  /** Sees an update to its end, and looks at what came of it. */
  async #see(node: number, operationId: string, signal: AbortSignal): Promise<Outcome> {
    const { trust, drain } = this.parts;
    const target = this.#target(node);
    const end = await this.#follow(node, operationId, signal);
    if (drain && this.#isInCluster(target)) await drain.release(target, signal);
    if (end.type !== 'result') return { type: 'node-failed', node, why: whyOf(end), again: false };
    const { update } = end;
    if (update.phase === 'rolled-back') return { type: 'node-rolled-back', node, why: whyOf(end) };
    if (update.phase !== 'committed') return { type: 'node-failed', node, why: whyOf(end), again: AGAIN.has(update.reason?.code ?? '') };
    const why = await this.#whyUnwell(node, update);
    if (why !== '') return { type: 'node-failed', node, why, again: false };
    await trust?.afterwards(target);
    return { type: 'node-committed', node, version: update.bundle?.version ?? '', manifestHash: update.bundle?.manifestHash ?? '' };
  }

  async #follow(node: number, operationId: string, signal: AbortSignal): Promise<FollowEnd> {
    const { connect, clock, timeoutMs, plan, file, onUpdate } = this.parts;
    const target = this.#target(node);
    const over = new AbortController();
    const stop = AbortSignal.any([signal, over.signal]);
    const served = file ? serve(target, operationId, file, { connect, clock, timeoutMs, signal: stop }) : undefined;
    let drained = false;
    try {
      for await (const event of follow(target, operationId, {
        connect,
        clock,
        signal,
        timeoutMs,
        waitMs: plan.options.nodeMs,
        met: true,
      })) {
        if (event.type === 'progress' || event.type === 'result') onUpdate(node, event.update);
        if (event.type === 'progress' && !drained && waitsForReboot(event.update)) {
          drained = true;
          await this.#rebootDrained(node, operationId, signal);
        }
        if (event.type !== 'progress' && event.type !== 'unreachable') return event;
      }
    } finally {
      over.abort();
      await served;
    }
    throw new Failure('INTERNAL', `Cannot follow the update of ${target.name}: it told no end`);
  }

  /** A node that cannot be drained keeps its version, and its work. */
  async #rebootDrained(node: number, operationId: string, signal: AbortSignal): Promise<void> {
    const { drain, claim } = this.parts;
    const target = this.#target(node);
    try {
      if (this.#isInCluster(target)) await drain?.drain(target, signal);
    } catch (thrown) {
      if (signal.aborted) throw thrown;
      const only = { operationId, rolloutFence: claim };
      await this.#insist(node, signal, (connection) => connection.rollBack('The node could not be drained', only).catch(unlessRollingBack));
      throw thrown;
    }
    await this.#insist(node, signal, (connection) => connection.reboot());
  }

  /** Why a node is not to be called well after its update; empty when it is. It may take a while to be. */
  async #whyUnwell(node: number, update: Update | undefined): Promise<string> {
    const { connect, timeoutMs, clock } = this.parts;
    const endMs = clock.now() + SETTLE_MS;
    for (;;) {
      const answer = await askOne(this.#target(node), connect, { timeoutMs }, (connection) => whyUnwell(connection, update));
      const why = answer.ok ? answer.value : answer.failure.message;
      if (why === '' || clock.now() >= endMs) return why;
      await clock.sleep(PAUSE_MS);
    }
  }

  /** Asks a node until it answers, for as long as its update may take: what was decided on has to be done. */
  async #insist<Value>(node: number, signal: AbortSignal, ask: (connection: NodeConnection) => Promise<Value>): Promise<Value> {
    const { connect, timeoutMs, clock, plan } = this.parts;
    const endMs = clock.now() + plan.options.nodeMs;
    for (;;) {
      const answer = await askOne(this.#target(node), connect, { timeoutMs, signal }, ask);
      if (answer.ok) return answer.value;
      if (signal.aborted || !PASSING.has(answer.failure.code) || clock.now() >= endMs) throw answer.failure;
      await clock.sleep(PAUSE_MS, signal);
    }
  }

  async #known(connection: NodeConnection, operationId: string): Promise<Update | undefined> {
    try {
      return await connection.update(operationId);
    } catch (thrown) {
      if (Failure.from(thrown).code === 'UPDATE_NOT_FOUND') return undefined;
      throw thrown;
    }
  }

  #isInCluster({ labels }: Target): boolean {
    return labels.k3s !== undefined;
  }

  #target(node: number): Target {
    return this.parts.targets[node]!;
  }

  #operationId(node: number, attempt: number): string {
    return operationIdOf(this.parts.plan.id, this.#target(node).name, attempt);
  }
}

async function whyUnwell(node: NodeConnection, update: Update | undefined): Promise<string> {
  const [device, health, now] = await Promise.all([node.device(), node.health(), node.update('')]);
  const booted = device.slots.find((slot) => slot.booted)?.name ?? '';
  if (update && (booted !== update.targetSlot || device.imageVersion !== update.bundle?.version)) {
    return `it runs ${device.imageVersion} in ${booted || 'no slot'}, and ${update.bundle?.version} was committed in ${update.targetSlot}`;
  }
  const { state, why } = judgeNode(device, health, now);
  return state === 'healthy' ? '' : `it is ${state}${why === '' ? '' : `: ${why}`}`;
}

const waitsForReboot = ({ phase, rebootPolicy }: Update): boolean => phase === 'pending-reboot' && rebootPolicy === 'manual';

function whyOf(end: FollowEnd): string {
  switch (end.type) {
    case 'result':
      return end.update.reason?.message ?? `its update ended as ${end.update.phase}`;
    case 'left':
      return 'its update did not come to an end in time';
    case 'error':
      return end.failure.message;
  }
}

/** It goes on then, and is seen to its end. */
function unlessTooLate(thrown: unknown): void {
  const { code } = Failure.from(thrown);
  if (code !== 'POINT_OF_NO_RETURN' && code !== 'NO_UPDATE_UNDER_WAY' && code !== 'UPDATE_NOT_FOUND') throw thrown;
}

/** A request whose answer was lost comes twice. */
function unlessRollingBack(thrown: unknown): void {
  if (Failure.from(thrown).code !== 'NOTHING_TO_ROLL_BACK') throw thrown;
}
