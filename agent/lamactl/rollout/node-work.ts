// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../shared/failure.ts';
import type { FollowEnd } from '../fleet/follow.ts';
import type { NodeConnection, Target } from '../node/node.ts';
import { hasEnded } from '../node/node-state.ts';
import type { Update, UrlAccess } from '../node/node-update.ts';
import { ClusterServers } from './cluster-servers.ts';
import { DrainDoor } from './drain-door.ts';
import type { RolloutEffect, RolloutEvent } from './event.ts';
import type { DrainGate, TrustGate } from './gates.ts';
import { type AskingParts, NodeAsking } from './node-asking.ts';
import { whyNotUndone } from './node-undo.ts';
import { peerSource } from './peer-source.ts';
import { UpdateWatch, type UpdateWatchParts, unlessRollingBack, waitsForBoot, whyOf } from './update-watch.ts';
import { whyUnwell } from './wellness.ts';

export interface WorkParts extends AskingParts, Omit<UpdateWatchParts, 'ready'> {
  readonly urlAccess?: UrlAccess;
  readonly trust?: TrustGate;
  readonly drain?: DrainGate;
  /** All nodes of the context. */
  readonly context: readonly Target[];
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

/** Carries out the effects of a rollout on its nodes. */
export class NodeWork {
  readonly #parts: WorkParts;
  readonly #asking: NodeAsking;
  readonly #door: DrainDoor;
  readonly #servers: ClusterServers;
  readonly #watch: UpdateWatch;

  constructor(parts: WorkParts) {
    this.#parts = parts;
    this.#asking = new NodeAsking(parts);
    this.#door = new DrainDoor(parts.drain);
    this.#servers = new ClusterServers(this.#asking, parts.context);
    this.#watch = new UpdateWatch(this.#asking, { ...parts, ready: (node, signal) => this.#readied(node, signal) });
  }

  /** Nodes onto which no work of their cluster is let until somebody goes on. */
  get cordoned(): readonly string[] {
    return this.#door.closed;
  }

  /** What came of it. Throws ROLLOUT_TAKEN_OVER, and whatever it throws once the signal is aborted means nothing. */
  async carryOut(effect: RolloutEffect, signal: AbortSignal): Promise<Outcome> {
    switch (effect.type) {
      case 'probe':
        return this.#probe(effect.node, signal);
      case 'recheck':
        return this.#recheck(effect.nodes, signal);
      case 'start':
        return this.#guarded(effect.node, signal, nodeFailed, () => this.#start(effect.node, effect.attempt, signal));
      case 'settle':
        return this.#guarded(effect.node, signal, nodeFailed, () => this.#settle(effect.node, effect.attempt, signal));
      case 'cancel':
        return this.#guarded(effect.node, signal, nodeFailed, () => this.#cancel(effect.node, effect.attempt, signal));
      case 'undo':
        return this.#guarded(effect.node, signal, undoFailed, () => this.#undo(effect.node, effect.attempt, signal));
    }
  }

  async #probe(node: number, signal: AbortSignal): Promise<Outcome> {
    try {
      const answer = await this.#asking.once(node, signal, (connection) => connection.device());
      if (!answer.ok) throw answer.failure;
      const why = await this.#servers.whyNeeded(node, 0, signal);
      return why === '' ? { type: 'node-answered', node } : { type: 'node-absent', node, why };
    } catch (thrown) {
      return { type: 'node-absent', node, why: Failure.from(thrown).message };
    }
  }

  async #recheck(nodes: readonly number[], signal: AbortSignal): Promise<Outcome> {
    const wells = await Promise.all(nodes.map(async (node) => ({ node, why: await whyUnwell(this.#asking, node, undefined, signal) })));
    const unwell = wells.find(({ why }) => why !== '');
    return unwell ? { type: 'recheck-failed', ...unwell } : { type: 'recheck-passed' };
  }

  /**
   * What a node refuses is an outcome; that another runner holds the rollout is none. Whatever the outcome, work is let back onto
   * the node.
   */
  async #guarded(
    node: number,
    signal: AbortSignal,
    failed: (node: number, failure: Failure) => Outcome,
    work: () => Promise<Outcome>,
  ): Promise<Outcome> {
    const caught = async (attempt: () => Promise<Outcome>): Promise<Outcome> => {
      try {
        return await attempt();
      } catch (thrown) {
        const failure = Failure.from(thrown);
        if (signal.aborted || failure.code === 'ROLLOUT_TAKEN_OVER') throw failure;
        return failed(node, failure);
      }
    };
    const outcome = await caught(work);
    return caught(async () => {
      const target = this.#parts.targets[node];
      if (target) await this.#door.open(target, signal);
      return outcome;
    });
  }

  /** Whoever goes on with it may begin it long after the node was probed. */
  async #start(node: number, attempt: number, signal: AbortSignal): Promise<Outcome> {
    const needed = await this.#servers.whyNeeded(node, 0, signal);
    if (needed !== '' && !(await this.#asking.current(node, attempt, signal))) return { type: 'node-not-started', node };
    const operationId = await this.#asking.insist(node, signal, async (connection) => {
      await connection.takeRollout(this.#parts.claim);
      const current = await this.#asking.currentOn(connection, node, attempt);
      return current?.operationId ?? this.#install(connection, node, attempt);
    });
    const end = await this.#end(node, operationId, signal);
    return this.#judged(node, end, signal);
  }

  async #install(connection: NodeConnection, node: number, attempt: number): Promise<string> {
    const { plan, urlAccess, trust, claim } = this.#parts;
    const target = this.#asking.target(node);
    const operationId = this.#asking.operationId(node, attempt);
    const { gates: _g, window, force, allowDowngrade, bytesPerSecond } = plan.options;
    await trust?.before(target);
    await connection.install({
      ...peerSource(plan, node, this.#parts.targets),
      rebootPolicy: this.#door.guards(target) ? 'manual' : 'automatic',
      force,
      allowDowngrade,
      bytesPerSecond,
      window,
      operationId,
      rolloutFence: claim,
      ...(urlAccess && { urlAccess }),
    });
    return operationId;
  }

  async #settle(node: number, attempt: number, signal: AbortSignal): Promise<Outcome> {
    const current = await this.#asking.current(node, attempt, signal);
    if (!current) return { type: 'node-not-started', node };
    const end = await this.#end(node, current.operationId, signal);
    return this.#judged(node, end, signal);
  }

  /** A node for which it is too late keeps what it has. */
  async #cancel(node: number, attempt: number, signal: AbortSignal): Promise<Outcome> {
    const update = await this.#asking.current(node, attempt, signal);
    if (!update) return { type: 'node-cancelled', node };
    if (!hasEnded(update.phase)) await this.#asking.insist(node, signal, (connection) => this.#giveUp(connection, update.operationId));
    const end = await this.#end(node, update.operationId, signal);
    if (end.type === 'result' && wasGivenUp(end.update)) return { type: 'node-cancelled', node };
    return this.#judged(node, end, signal);
  }

  /** Cancels an update, or takes it back where the node has not booted into it yet: later it is too late. */
  async #giveUp(connection: NodeConnection, operationId: string): Promise<void> {
    const only = { operationId, rolloutFence: this.#parts.claim };
    try {
      await connection.cancel(GIVEN_UP, only);
    } catch (thrown) {
      if (!TOO_LATE.has(Failure.from(thrown).code)) throw thrown;
      const update = await connection.update(operationId);
      if (update && waitsForBoot(update)) await connection.rollBack(GIVEN_UP, only).catch(unlessRollingBack);
    }
  }

  async #undo(node: number, attempt: number, signal: AbortSignal): Promise<Outcome> {
    const ready = (): Promise<string> => this.#readied(node, signal);
    const why = await whyNotUndone(this.#asking, this.#watch, ready, node, attempt, signal);
    return why === '' ? { type: 'node-undone', node } : { type: 'node-undo-failed', node, why };
  }

  /** Has a node ready to go down; or tells why it is not to. Throws DRAIN_FAILED. */
  async #readied(node: number, signal: AbortSignal): Promise<string> {
    const { absentMs, nodeMs } = this.#parts.plan.options;
    const why = await this.#servers.whyNeeded(node, Math.min(absentMs, nodeMs), signal);
    if (why === '') await this.#door.close(this.#asking.target(node), signal);
    return why;
  }

  /** The end of an update; a node that is up again takes the work of its cluster before it is looked at. */
  async #end(node: number, operationId: string, signal: AbortSignal): Promise<FollowEnd> {
    const end = await this.#watch.end(node, operationId, signal);
    await this.#door.open(this.#asking.target(node), signal);
    return end;
  }

  async #judged(node: number, end: FollowEnd, signal: AbortSignal): Promise<Outcome> {
    if (end.type !== 'result') return { type: 'node-failed', node, why: whyOf(end), again: false };
    const { update } = end;
    if (update.phase === 'rolled-back') return { type: 'node-rolled-back', node, why: whyOf(end) };
    if (update.phase !== 'committed') return { type: 'node-failed', node, why: whyOf(end), again: AGAIN.has(update.reason?.code ?? '') };
    const why = await whyUnwell(this.#asking, node, update, signal);
    if (why !== '') return { type: 'node-failed', node, why, again: false };
    await this.#parts.trust?.afterwards(this.#asking.target(node));
    return committed(node, update);
  }
}

const committed = (node: number, { bundle }: Update): Outcome => {
  return { type: 'node-committed', node, version: bundle?.version ?? '', manifestHash: bundle?.manifestHash ?? '' };
};

const undoFailed = (node: number, { message }: Failure): Outcome => ({ type: 'node-undo-failed', node, why: message });

const nodeFailed = (node: number, { message, code }: Failure): Outcome => {
  return { type: 'node-failed', node, why: message, again: AGAIN.has(code) };
};

const GIVEN_UP = 'The rollout was given up';
/** It goes on then, and is seen to its end. */
const TOO_LATE: ReadonlySet<string> = new Set(['POINT_OF_NO_RETURN', 'NO_UPDATE_UNDER_WAY', 'UPDATE_NOT_FOUND']);

/** It ended because somebody asked for that, and not because of the version. */
const wasGivenUp = ({ phase, reason }: Update): boolean => phase === 'failed' || (phase === 'rolled-back' && reason?.code === 'REQUESTED');
