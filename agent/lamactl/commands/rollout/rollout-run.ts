// SPDX-License-Identifier: Apache-2.0
import { hostname } from 'node:os';
import { Failure } from '../../../shared/failure.ts';
import { type ExitName, worst } from '../../exit-code.ts';
import { readInput } from '../../input-file.ts';
import { BundleFile } from '../../node/bundle-file.ts';
import type { RolloutClaim } from '../../node/node-rollout.ts';
import { readUrlAccess } from '../../node/url-access.ts';
import { RolloutProgress } from '../../output/rollout-progress.ts';
import { RolloutJournal } from '../../rollout/journal.ts';
import { type DrainGate, NodeWork, type TrustGate } from '../../rollout/node-work.ts';
import type { OpenParts } from '../../rollout/open-rollout.ts';
import type { Plan } from '../../rollout/plan.ts';
import { Runner } from '../../rollout/runner.ts';
import { hasEnded, type RolloutState } from '../../rollout/state.ts';
import type { Witnesses } from '../../rollout/witnesses.ts';
import { type Session, USUAL_TIMEOUT_MS, WORK_TIMEOUT_MS } from '../session.ts';
import type { RunOptions } from './rollout-options.ts';

/** How long a majority of the witnesses may be away before lamactl gives up; the rollout goes on with the next "resume". */
const WITNESS_PATIENCE_MS = 900_000;
const MAX_ACCESS_BYTES = 64 << 10;

/** What an administrator says of a rollout, as its runner is to take it. */
export type Order = 'pause' | 'resume' | 'abort' | 'undo';

export interface Taken {
  readonly claim: RolloutClaim;
  readonly witnesses: Witnesses;
  readonly state: RolloutState;
  readonly sequence: number;
}

export async function openParts(session: Session): Promise<OpenParts & { readonly journal: RolloutJournal }> {
  return {
    connect: await session.connectAsNow(),
    clock: session.world.clock,
    timeoutMs: session.timeoutMs(USUAL_TIMEOUT_MS),
    patienceMs: WITNESS_PATIENCE_MS,
    journal: new RolloutJournal(await session.rolloutFolder()),
    targetsOf: session.targetsOf,
  };
}

/** Names this process to whoever else would run the rollout: its machine first. */
export function newHolder({ random }: Pick<Session['world'], 'random'>): string {
  return `${hostname()}/${process.pid}.${random(4).toString('hex')}`;
}

export const machineOf = (holder: string): string => holder.slice(0, holder.lastIndexOf('/'));

/** Runs a rollout that was taken until nothing of it goes on, or until Ctrl-C, and shows it. */
export async function runRollout(session: Session, taken: Taken, orders: readonly Order[], options: RunOptions): Promise<ExitName> {
  const { world } = session;
  const { plan } = taken.state;
  const interrupt = new AbortController();
  const stopListening = world.onInterrupt(() => interrupt.abort());
  const view = new RolloutProgress(session, plan);
  const file = await openBundle(plan);
  try {
    const work = new NodeWork({
      ...(await workParts(session, taken, options)),
      ...(file && { file }),
      onUpdate: (node, update) => view.update(node, update),
    });
    const runner = new Runner(
      {
        claim: taken.claim,
        journal: new RolloutJournal(await session.rolloutFolder()),
        witnesses: taken.witnesses,
        work,
        clock: world.clock,
        onChange: (before, after) => view.changed(before, after),
      },
      taken.state,
      taken.sequence,
    );
    view.began(taken.state);
    const state = await runner.run(
      orders.map((type) => ({ type })),
      interrupt.signal,
    );
    await view.ended(state, interrupt.signal.aborted);
    return interrupt.signal.aborted ? 'under-way' : exitOf(state, orders);
  } finally {
    stopListening();
    await taken.witnesses.close();
    await file?.close();
  }
}

async function workParts(session: Session, { claim, state: { plan } }: Taken, options: RunOptions) {
  const { clock } = session.world;
  const connect = await session.connectAsNow();
  const targets = await session.targetsOf(plan.nodes.map(({ name }) => name));
  const urlAccess = await readUrlAccess(options, (name) => readInput(name, MAX_ACCESS_BYTES).then(String));
  const [trust, drain] = [await trustGate(session, plan, options), await drainGate(session, plan, options)];
  const timeoutMs = session.timeoutMs(USUAL_TIMEOUT_MS);
  return {
    plan,
    claim,
    targets,
    connect,
    clock,
    timeoutMs,
    ...(urlAccess && { urlAccess }),
    ...(trust && { trust }),
    ...(drain && { drain }),
  };
}

/** The same file as at the start, wherever the rollout goes on. */
async function openBundle({ bundle: { source, argument } }: Plan): Promise<BundleFile | undefined> {
  if (!('client' in source)) return undefined;
  const file = await BundleFile.open(argument);
  if (file.info.sha256 === source.client.sha256) return file;
  await file.close();
  throw new Failure('BUNDLE_CHANGED', `Cannot go on with the rollout: ${argument} is no longer the bundle that it began with`);
}

async function trustGate(session: Session, plan: Plan, { expect }: RunOptions): Promise<TrustGate | undefined> {
  if (!plan.options.gates.includes('attestation')) return undefined;
  const file = expect ?? ('client' in plan.bundle.source ? plan.bundle.argument : undefined);
  if (file === undefined) {
    throw new Failure('INVALID_REQUEST', 'Cannot tell what to expect of the new image: only the nodes can read the bundle; give --expect', {
      field: 'expect',
    });
  }
  const { InstallGate } = await import('../../trust/install-gate.ts');
  const { world } = session;
  const store = await session.expectations();
  const image = { file, keyring: store.keyring, nowMs: world.clock.now() };
  const targets = await session.targetsOf(plan.nodes.map(({ name }) => name));
  return InstallGate.prepare(targets, image, {
    world,
    connect: await session.connectAsNow(),
    store,
    timeoutMs: session.timeoutMs(WORK_TIMEOUT_MS),
  });
}

async function drainGate({ world }: Session, plan: Plan, options: RunOptions): Promise<DrainGate | undefined> {
  if (!plan.options.gates.includes('k3s')) return undefined;
  const [{ K3sGate }, { kubectlOf }] = await Promise.all([import('../../rollout/k3s-gate.ts'), import('../../rollout/kubectl.ts')]);
  const { kubeconfig, drainTimeout } = options;
  const kubectl = kubectlOf({ env: world.env, ...(kubeconfig !== undefined && { kubeconfig }) });
  return new K3sGate({ kubectl, clock: world.clock, rolloutId: plan.id, drainMs: drainTimeout });
}

/** What was asked for is done only when it is; a node that was left out is unknown. */
export function exitOf(state: RolloutState, orders: readonly Order[]): ExitName {
  const { phase, nodes } = state;
  if (phase === 'paused') return orders.includes('pause') ? 'done' : 'under-way';
  const left: ExitName[] = nodes.some(({ step }) => step === 'skipped') ? ['unknown'] : [];
  if (nodes.some(({ step }) => step === 'undo-failed')) left.push('update-failed');
  if (phase === 'aborted' || phase === 'undone') return worst(phase === 'undone' ? left : ['done']);
  if (nodes.some(({ step }) => step === 'rolled-back')) left.push('rolled-back');
  if (nodes.some(({ step }) => step === 'failed')) left.push('update-failed');
  return hasEnded(state) || phase === 'halted' ? worst(left) : 'under-way';
}
