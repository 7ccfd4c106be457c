// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../shared/failure.ts';
import type { Target } from '../node/node.ts';
import type { DrainGate } from './gates.ts';
import { isInCluster } from './k3s-labels.ts';

/** The gate before the nodes of a cluster, which remembers those that it left closed. */
export class DrainDoor {
  readonly #gate: DrainGate | undefined;
  readonly #closed = new Set<string>();
  readonly #opened = new Set<string>();

  constructor(gate: DrainGate | undefined) {
    this.#gate = gate;
  }

  /** The nodes that were closed here, and not opened again since. */
  get closed(): readonly string[] {
    return [...this.#closed];
  }

  /** Whether a node has to be closed before it reboots. */
  guards({ labels }: Target): boolean {
    return this.#gate !== undefined && isInCluster(labels);
  }

  /** Throws DRAIN_FAILED; a node that was not closed to the end is open again, or the failure names it as cordoned. */
  async close(target: Target, signal: AbortSignal): Promise<void> {
    if (!this.#gate || !this.guards(target)) return;
    this.#opened.delete(target.name);
    this.#closed.add(target.name);
    try {
      await this.#gate.drain(target, signal);
    } catch (thrown) {
      if (Failure.from(thrown).facts.cordoned === undefined) this.#closed.delete(target.name);
      throw thrown;
    }
  }

  /** Opens a node, whoever closed it for this rollout; once. Throws DRAIN_FAILED. */
  async open(target: Target, signal: AbortSignal): Promise<void> {
    if (!this.#gate || !this.guards(target) || this.#opened.has(target.name)) return;
    await this.#gate.release(target, signal);
    this.#opened.add(target.name);
    this.#closed.delete(target.name);
  }
}
