// SPDX-License-Identifier: Apache-2.0
import { Failure, type FailureCode } from '../../shared/failure.ts';
import { type Answer, askOne } from '../fleet/ask.ts';
import { CONCURRENCY } from '../fleet/fan-out.ts';
import { Turnstile } from '../fleet/turnstile.ts';
import type { Connect, NodeConnection, Target } from '../node/node.ts';
import type { RolloutClaim } from '../node/node-rollout.ts';
import { hasEnded } from '../node/node-state.ts';
import type { Update } from '../node/node-update.ts';
import type { Clock } from '../world.ts';
import { isAttempt, operationIdOf } from './operation-id.ts';
import { Patience } from './patience.ts';
import type { Plan } from './plan.ts';

export interface AskingParts {
  readonly plan: Plan;
  readonly claim: RolloutClaim;
  /** By the place of each node in the plan; a node that the context no longer has is undefined. */
  readonly targets: readonly (Target | undefined)[];
  readonly connect: Connect;
  readonly clock: Clock;
  readonly timeoutMs: number;
}

const PASSING: ReadonlySet<FailureCode> = new Set(['NODE_UNREACHABLE', 'DEADLINE_EXCEEDED', 'UNAUTHENTICATED']);
const PAUSE_MS = 2_000;

/** Asks the nodes of a rollout, each by its place in the plan, and others of the context. */
export class NodeAsking {
  /** A thousand nodes may be down at once; that many handshakes at once would all take too long. */
  readonly #turnstile = new Turnstile(CONCURRENCY);

  constructor(readonly parts: AskingParts) {}

  /** Asks a node, when not too many others are being asked. Throws NODE_UNREACHABLE for one that the context no longer has. */
  once<Value>(node: number | Target, signal: AbortSignal, ask: (connection: NodeConnection) => Promise<Value>): Promise<Answer<Value>> {
    const { connect, timeoutMs } = this.parts;
    return this.#turnstile.pass(async () => askOne(this.target(node), connect, { timeoutMs, signal }, ask));
  }

  /** Asks a node until it answers, for as long as its update may take: what was decided on has to be done. */
  async insist<Value>(
    node: number | Target,
    signal: AbortSignal,
    ask: (connection: NodeConnection) => Promise<Value>,
    patienceMs = this.parts.plan.options.nodeMs,
  ): Promise<Value> {
    const { clock } = this.parts;
    const patience = new Patience(clock, patienceMs);
    for (;;) {
      const answer = await this.once(node, signal, ask);
      if (answer.ok) return answer.value;
      if (signal.aborted || !PASSING.has(answer.failure.code) || !patience.isLeft()) throw answer.failure;
      await clock.sleep(PAUSE_MS, signal);
    }
  }

  /** Has the node refuse every older runner, and asks what this one goes on from. */
  current(node: number, attempt: number, signal: AbortSignal): Promise<Update | undefined> {
    return this.insist(node, signal, async (connection) => {
      await connection.takeRollout(this.parts.claim);
      return this.currentOn(connection, node, attempt);
    });
  }

  /**
   * The update that an attempt is on a node. An attempt before it that still goes on, or was committed, is taken for it: one more
   * install would go over the version to which the node could return.
   */
  async currentOn(connection: NodeConnection, node: number, attempt: number): Promise<Update | undefined> {
    const last = await connection.update('');
    const isLive = last !== undefined && (!hasEnded(last.phase) || last.phase === 'committed');
    if (isLive && this.isOurs(node, last)) return last;
    return this.known(connection, node, attempt);
  }

  async known(connection: NodeConnection, node: number, attempt: number): Promise<Update | undefined> {
    try {
      return await connection.update(this.operationId(node, attempt));
    } catch (thrown) {
      if (Failure.from(thrown).code === 'UPDATE_NOT_FOUND') return undefined;
      throw thrown;
    }
  }

  /** Whether an update is an attempt of this rollout. */
  isOurs(node: number, { operationId }: Update): boolean {
    return isAttempt(operationId, this.parts.plan.id, this.target(node).name);
  }

  operationId(node: number, attempt: number): string {
    return operationIdOf(this.parts.plan.id, this.target(node).name, attempt);
  }

  /** Throws NODE_UNREACHABLE for one that the context no longer has. */
  target(node: number | Target): Target {
    if (typeof node !== 'number') return node;
    const target = this.parts.targets[node];
    if (target) return target;
    const name = this.parts.plan.nodes[node]?.name ?? String(node);
    throw new Failure('NODE_UNREACHABLE', `Cannot reach ${name}: the context file no longer has it`);
  }
}
