// SPDX-License-Identifier: Apache-2.0
import { put, type Register, requireAlone, take } from '../../../agent/daemon/rollout/register.ts';
import type { ConnectOptions, NodeConnection, Target } from '../../../agent/lamactl/node/node.ts';
import type { NodeTrust } from '../../../agent/lamactl/node/node-access.ts';
import type { RolloutCopy } from '../../../agent/lamactl/node/node-rollout.ts';
import type { Inspection, InstallRequest, Update, UpdateEvent } from '../../../agent/lamactl/node/node-update.ts';
import { CHAIN_START, lineHash } from '../../../agent/shared/audit-chain.ts';
import { Failure } from '../../../agent/shared/failure.ts';
import { DEVICE, HEALTH, updateIn } from './answers.ts';
import { DISK_USAGE, EVENTS, INVENTORY, LOG, PROTECTIONS, UNITS } from './details.ts';

function auditLine(rpc: string, previous: string): string {
  return JSON.stringify({ at: '2026-11-20T11:00:00.000Z', caller: 'alice', rpc, result: 'OK', previous });
}
const FIRST = auditLine('/lamadist.agent.v1.DeviceService/Reboot', CHAIN_START);
export const AUDIT_LOG = [FIRST, auditLine('/lamadist.agent.v1.UpdateService/RollBack', lineHash(FIRST))];

/** What happens next on a watched node: an update to tell of, a break, or something that the test does. */
export type WatchStep = Update | Failure | (() => void);

/** A node in memory. It answers as one in good order does, until a test gives it other answers. */
export class FakeNode {
  readonly installs: InstallRequest[] = [];
  readonly rollBackMessages: string[] = [];
  readonly orders: string[] = [];
  readonly cursors: string[] = [];
  /** What it remembers of rollouts, by their ids. */
  readonly rollouts = new Map<string, Register>();
  connections = 0;
  /** With which it was opened last. */
  options: ConnectOptions | undefined;
  open = 0;
  /** One list for each connection that watches; the last one stays. A stream that runs out of steps breaks off. */
  watches: WatchStep[][] = [];
  answers: Partial<NodeConnection> = {};
  trust: NodeTrust = { trust: { authorities: '', revocationLists: '' }, version: '1', certificate: '', labels: {} };
  last: Update | undefined = updateIn('committed');

  connect(_target: Target, options: ConnectOptions): NodeConnection {
    const { signal } = options;
    this.options = options;
    this.connections += 1;
    this.open += 1;
    const node: NodeConnection = {
      status: async () => {
        const [device, health, update] = await Promise.all([node.device(), node.health(), node.update('')]);
        return { device, health, ...(update && { update }) };
      },
      device: async () => DEVICE,
      reboot: async () => DEVICE.bootId,
      health: async () => HEALTH,
      runChecks: async () => HEALTH,
      inventory: async () => INVENTORY,
      protections: async () => PROTECTIONS,
      diskUsage: async () => DISK_USAGE,
      units: async () => UNITS,
      restartUnit: async (name) => ({ ...UNITS[0]!, name }),
      readLog: async function* () {
        yield* LOG;
      },
      auditLog: async function* () {
        yield* AUDIT_LOG;
      },
      events: async function* () {
        yield* EVENTS;
      },
      install: async (request) => {
        this.installs.push(request);
        return 'op-1';
      },
      serveBundle: async () => {},
      rollBack: async (message) => {
        this.rollBackMessages.push(message);
        return 'op-1';
      },
      pause: () => this.#take('pause'),
      resume: () => this.#take('resume'),
      cancel: (message) => this.#take(`cancel ${message}`),
      inspect: async () => INSPECTION,
      mediaBundles: async () => [],
      update: async () => this.last,
      updates: async (limit) => (this.last ? [this.last].slice(0, limit) : []),
      takeRollout: async ({ rolloutId: id, epoch, holder }) => {
        this.rollouts.set(id, take(this.rollouts.get(id), { epoch, holder }));
        return copyOf(id, this.rollouts.get(id));
      },
      putRollout: async ({ holder, rolloutId: id, replaced, ...record }) => {
        const others = [...this.rollouts].map(([other, register]) => ({ id: other, register })).filter((other) => other.id !== id);
        requireAlone(this.rollouts.get(id), record.ended, others, replaced);
        this.rollouts.set(id, put(this.rollouts.get(id), holder, record));
      },
      rollout: async (id) => copyOf(id, this.rollouts.get(id)),
      rollouts: async () => [...this.rollouts].map(([id, register]) => copyOf(id, register)),
      tpmKeys: noTpm,
      activate: noTpm,
      quote: noTpm,
      trust: async () => this.trust,
      setLabels: async (labels) => {
        this.trust = { ...this.trust, labels };
      },
      setTrust: async (trust) => {
        this.trust = { ...this.trust, trust, version: `${this.trust.version}+` };
        return this.trust.version;
      },
      certificateRequest: async () => '',
      renewCertificate: async (certificate) => {
        this.trust = { ...this.trust, certificate };
      },
      watch: (_operationId, afterCursor) => this.#watch(afterCursor, signal),
      ...this.answers,
      close: () => {
        this.open -= 1;
      },
    };
    return node;
  }

  async #take(order: string): Promise<string> {
    this.orders.push(order);
    return 'op-1';
  }

  async *#watch(afterCursor: string, signal: AbortSignal | undefined): AsyncGenerator<UpdateEvent> {
    this.cursors.push(afterCursor);
    const steps = this.watches.length > 1 ? this.watches.shift()! : (this.watches[0] ?? []);
    for (const [index, step] of steps.entries()) {
      if (typeof step === 'function') step();
      if (signal?.aborted) throw new Failure('NODE_UNREACHABLE', 'Cannot reach attic: the connection broke');
      if (step instanceof Failure) throw step;
      if (typeof step === 'function') continue;
      this.last = step;
      const ended = step.phase === 'committed' || step.phase === 'rolled-back' || step.phase === 'failed';
      yield { cursor: `${this.cursors.length}.${index}`, type: ended ? 'result' : 'progress', update: step };
    }
  }
}

function copyOf(id: string, register: Register | undefined): RolloutCopy {
  if (!register) throw new Failure('ROLLOUT_NOT_FOUND', 'Cannot find the rollout: this node knows none');
  const nothing = { sequence: 0, epoch: 0, witnesses: [], summary: '', ended: false, plan: Buffer.of(), progress: Buffer.of() };
  const { epoch: writtenEpoch, ...record } = register.record ?? nothing;
  const bytes = { plan: Buffer.from(record.plan), progress: Buffer.from(record.progress) };
  return { id, ...register.promised, ...record, writtenEpoch, ...bytes };
}

async function noTpm(): Promise<never> {
  throw new Failure('TPM_MISSING', 'Cannot use the TPM: there is no /dev/tpmrm0');
}

const INSPECTION: Inspection = { bundle: updateIn('idle').bundle!, compatibleWithNode: true, failedHere: false };

/** A node that is off: every call fails. */
export function deadNode(failure = new Failure('NODE_UNREACHABLE', 'Cannot reach 10.0.0.9:7443: nothing listens there')): FakeNode {
  const node = new FakeNode();
  const fail = async (): Promise<never> => {
    throw failure;
  };
  // biome-ignore lint/correctness/useYield: it fails before it has anything to tell.
  const never = async function* (): AsyncGenerator<never> {
    throw failure;
  };
  node.answers = {
    device: fail,
    reboot: fail,
    health: fail,
    runChecks: fail,
    inventory: fail,
    protections: fail,
    diskUsage: fail,
    units: fail,
    restartUnit: fail,
    readLog: never,
    events: never,
    install: fail,
    rollBack: fail,
    inspect: fail,
    update: fail,
    updates: fail,
    takeRollout: fail,
    putRollout: fail,
    rollout: fail,
    rollouts: fail,
    tpmKeys: fail,
  };
  return node;
}
