// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../shared/failure.ts';
import type { Target } from '../node/node.ts';
import { isUnderWay } from '../node/node-state.ts';
import { servesOf } from './k3s-labels.ts';
import type { NodeAsking } from './node-asking.ts';

/** The servers of k3s clusters: none is to go down while another is away, or the cluster may lose its quorum. */
export class ClusterServers {
  readonly #asking: NodeAsking;
  readonly #context: readonly Target[];
  readonly #planned: ReadonlySet<string>;

  /** `context`: all its nodes, whether or not the rollout is for them. */
  constructor(asking: NodeAsking, context: readonly Target[]) {
    this.#asking = asking;
    this.#context = context;
    this.#planned = new Set(asking.parts.plan.nodes.map(({ name }) => name));
  }

  /** Why a node is not to go down now; empty when it may. The other servers of its cluster are asked for so long. */
  async whyNeeded(node: number, patienceMs: number, signal: AbortSignal): Promise<string> {
    const { name, serves } = this.#asking.parts.plan.nodes[node]!;
    if (serves === '') return '';
    const others = this.#context.filter((other) => other.name !== name && servesOf(other.labels) === serves);
    const whys = await Promise.all(others.map((other) => this.#whyAway(other, patienceMs, signal)));
    const place = whys.findIndex((why) => why !== '');
    return place === -1 ? '' : `${others[place]?.name}, another server of its k3s cluster, ${whys[place]}`;
  }

  /** Empty for one that is there, and that nobody else updates. */
  async #whyAway(server: Target, patienceMs: number, signal: AbortSignal): Promise<string> {
    try {
      const update = await this.#asking.insist(server, signal, (connection) => connection.update(''), patienceMs);
      return isUnderWay(update) && !this.#planned.has(server.name) ? `has an update under way: ${update.phase}` : '';
    } catch (thrown) {
      return `does not answer: ${Failure.from(thrown).message}`;
    }
  }
}
