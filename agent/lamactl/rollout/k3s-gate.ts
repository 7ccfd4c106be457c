// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot';
import { Failure } from '../../shared/failure.ts';
import type { Target } from '../node/node.ts';
import type { Clock } from '../world.ts';
import { CLUSTER_PATIENCE_MS, type DrainGate } from './gates.ts';
import type { Kubectl } from './kubectl.ts';
import { Patience } from './patience.ts';

export interface K3sGateParts {
  readonly kubectl: Kubectl;
  readonly clock: Clock;
  readonly rolloutId: string;
  /** How long a drain may take. */
  readonly drainMs: number;
}

/** On a Kubernetes node that a rollout of ours cordoned, and which; one that an operator cordoned by hand stays cordoned. */
const MARK = 'lamadist.dev/drained-by-rollout';
/** RFC 1123, as Kubernetes names its nodes. */
const NODE_NAME = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/;
/** As Kubernetes and k3s label the nodes that a cluster loses its quorum without. */
const SERVER = '.metadata.labels.node-role\\.kubernetes\\.io/control-plane';
const QUICK_MS = 30_000;
/** kubectl asks for one after the other. */
const ONE_MORE_MS = 100;
const PAUSE_MS = 3_000;
/** After Ctrl-C nobody waits longer for a cluster that does not answer. */
const LAST_MS = 30_000;

/** What kubectl prints for a field that a node does not have. */
const NOTHING = '<none>';

const NodeSchema = v.object({
  metadata: v.object({ annotations: v.optional(v.record(v.string(), v.string()), {}) }),
  spec: v.optional(v.object({ unschedulable: v.optional(v.boolean(), false) }), {}),
});

/** Cordons and drains a node of a k3s cluster before it reboots, and uncordons it afterwards, through kubectl. */
export class K3sGate implements DrainGate {
  constructor(private readonly parts: K3sGateParts) {}

  async serversAmong(targets: readonly Target[], signal: AbortSignal, patienceMs = 0): Promise<readonly Target[]> {
    if (targets.length === 0) return [];
    const columns = `--output=custom-columns=NAME:.metadata.name,SERVER:${SERVER}`;
    const args = ['get', 'node', ...targets.map(kubernetesNameOf), '--no-headers', columns];
    const timeoutMs = QUICK_MS + targets.length * ONE_MORE_MS;
    const text = await this.#insist(signal, () => this.parts.kubectl(args, timeoutMs, signal), patienceMs);
    const agents = new Set(text.split('\n').flatMap((line) => (line.trim().endsWith(` ${NOTHING}`) ? line.trim().split(' ', 1) : [])));
    return targets.filter((target) => !agents.has(kubernetesNameOf(target)));
  }

  async drain(target: Target, signal: AbortSignal): Promise<void> {
    const { kubectl, rolloutId, drainMs } = this.parts;
    const name = kubernetesNameOf(target);
    const { spec, metadata } = await this.#read(name, signal);
    const isByHand = spec.unschedulable && metadata.annotations[MARK] === undefined;
    // The mark comes first: whoever finds it knows that the cordon may be ours.
    if (!isByHand) await kubectl(['annotate', 'node', name, `${MARK}=${rolloutId}`, '--overwrite'], QUICK_MS, signal);
    try {
      await kubectl(['cordon', name], QUICK_MS, signal);
      const seconds = Math.ceil(drainMs / 1000);
      const options = ['--ignore-daemonsets', '--delete-emptydir-data', `--timeout=${seconds}s`];
      await kubectl(['drain', name, ...options], drainMs + QUICK_MS, signal);
    } catch (thrown) {
      // Nobody is there to uncordon it later.
      const last = signal.aborted ? AbortSignal.timeout(LAST_MS) : signal;
      throw await this.#released(target, Failure.from(thrown), last);
    }
  }

  async release(target: Target, signal: AbortSignal): Promise<void> {
    const name = kubernetesNameOf(target);
    try {
      await this.#uncordon(name, signal);
    } catch (thrown) {
      throw stillCordoned(`Cannot let work back onto ${target.name}, which may stay cordoned: ${Failure.from(thrown).message}`, target);
    }
  }

  async #uncordon(name: string, signal: AbortSignal): Promise<void> {
    const { kubectl } = this.parts;
    await this.#insist(signal, async () => {
      // Of a rollout that was replaced, nobody else would.
      if ((await this.#read(name, signal)).metadata.annotations[MARK] === undefined) return;
      await kubectl(['uncordon', name], QUICK_MS, signal);
      await kubectl(['annotate', 'node', name, `${MARK}-`], QUICK_MS, signal);
    });
  }

  /** The failure of a drain, which tells whether the node is open for work again. */
  async #released(target: Target, failure: Failure, signal: AbortSignal): Promise<Failure> {
    try {
      await this.#uncordon(kubernetesNameOf(target), signal);
      return new Failure('DRAIN_FAILED', `Cannot drain ${target.name}, which is uncordoned again: ${failure.message}`);
    } catch (thrown) {
      const still = Failure.from(thrown).message;
      return stillCordoned(`Cannot drain ${target.name}, and it stays cordoned (${still}): ${failure.message}`, target);
    }
  }

  async #read(name: string, signal: AbortSignal): Promise<v.InferOutput<typeof NodeSchema>> {
    const text = await this.#insist(signal, () => this.parts.kubectl(['get', 'node', name, '--output=json'], QUICK_MS, signal));
    try {
      return v.parse(NodeSchema, JSON.parse(text));
    } catch (error) {
      throw new Failure('DRAIN_FAILED', `Cannot read the Kubernetes node ${name}: ${(error as Error).message}`);
    }
  }

  /** Tries again for a while, unless the cluster says that there is no such node. */
  async #insist<Value>(signal: AbortSignal, work: () => Promise<Value>, patienceMs = CLUSTER_PATIENCE_MS): Promise<Value> {
    const { clock } = this.parts;
    const patience = new Patience(clock, patienceMs);
    for (;;) {
      try {
        return await work();
      } catch (thrown) {
        if (signal.aborted || !patience.isLeft() || /NotFound|Forbidden|ENOENT/.test(Failure.from(thrown).message)) throw thrown;
      }
      await clock.sleep(PAUSE_MS, signal);
    }
  }
}

const stillCordoned = (message: string, { name }: Target): Failure => new Failure('DRAIN_FAILED', message, { cordoned: name });

/** The label `k3s-node`, or else the node's own name. */
function kubernetesNameOf({ name, labels }: Target): string {
  const wanted = labels['k3s-node'] ?? name;
  if (NODE_NAME.test(wanted)) return wanted;
  throw new Failure('DRAIN_FAILED', `Cannot drain ${name}: "${wanted}" is no name of a Kubernetes node; say it with the label "k3s-node"`);
}
