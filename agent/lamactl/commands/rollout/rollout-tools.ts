// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../../shared/failure.ts';
import { readInput } from '../../input-file.ts';
import { BundleFile } from '../../node/bundle-file.ts';
import type { Target } from '../../node/node.ts';
import type { UrlAccess } from '../../node/node-update.ts';
import { readUrlAccess } from '../../node/url-access.ts';
import { CLUSTER_PATIENCE_MS, type DrainGate, type TrustGate } from '../../rollout/gates.ts';
import { isInCluster } from '../../rollout/k3s-labels.ts';
import type { Plan } from '../../rollout/plan.ts';
import type { RolloutState } from '../../rollout/state.ts';
import { type Session, WORK_TIMEOUT_MS } from '../session.ts';
import type { RunOptions } from './rollout-options.ts';

const MAX_ACCESS_BYTES = 64 << 10;

/** What a runner needs of this machine to begin nodes, and to see them to their ends. */
export interface RolloutTools {
  readonly file?: BundleFile;
  readonly urlAccess?: UrlAccess;
  readonly trust?: TrustGate;
}

/** Throws a Failure when the bundle, or what the gates need, is not there. */
export async function openTools(session: Session, plan: Plan, options: RunOptions): Promise<RolloutTools> {
  const urlAccess = await readUrlAccess(options, (name) => readInput(name, MAX_ACCESS_BYTES).then(String));
  const trust = await openTrust(session, plan, options);
  const file = await openBundle(plan, options.bundleFile);
  return { ...(file && { file }), ...(urlAccess && { urlAccess }), ...trust };
}

/** The gate of attestation alone, where the plan asks for it. */
export async function openTrust(session: Session, plan: Plan, options: RunOptions): Promise<Pick<RolloutTools, 'trust'>> {
  const trust = await trustGate(session, plan, await plannedTargets(session, plan), options);
  return trust ? { trust } : {};
}

/** The same file as at the start, wherever the rollout goes on, and wherever it lies there. */
async function openBundle({ bundle: { source, argument } }: Plan, said = argument): Promise<BundleFile | undefined> {
  if (!('client' in source)) return undefined;
  const file = await BundleFile.open(said);
  if (file.info.sha256 === source.client.sha256) return file;
  await file.close();
  throw new Failure('BUNDLE_CHANGED', `Cannot go on with the rollout: ${said} is no longer the bundle that it began with`);
}

/** The gate of attestation before these nodes; undefined where the plan asks for none. Throws a Failure. */
export async function trustGate(
  session: Session,
  plan: Plan,
  targets: readonly Target[],
  { expect, bundleFile }: RunOptions,
): Promise<TrustGate | undefined> {
  if (!plan.options.gates.includes('attestation')) return undefined;
  const file = expect ?? ('client' in plan.bundle.source ? (bundleFile ?? plan.bundle.argument) : undefined);
  if (file === undefined) {
    throw new Failure('INVALID_REQUEST', 'Cannot tell what to expect of the new image: only the nodes can read the bundle; give --expect', {
      field: 'expect',
    });
  }
  const { InstallGate } = await import('../../trust/install-gate.ts');
  const { world } = session;
  const store = await session.expectations();
  const image = { file, keyring: store.keyring, nowMs: world.clock.now() };
  return InstallGate.prepare(targets, image, {
    world,
    connect: await session.connectAsNow(),
    store,
    timeoutMs: session.timeoutMs(WORK_TIMEOUT_MS),
  });
}

/** Of the nodes of a plan those that the context has. */
async function plannedTargets(session: Session, plan: Plan): Promise<readonly Target[]> {
  const planned = new Set(plan.nodes.map(({ name }) => name));
  return (await session.targetsOf('all')).filter(({ name }) => planned.has(name));
}

/**
 * Throws DRAIN_FAILED for what the gate k3s would find only when a node has installed its update, and INVALID_REQUEST for servers that
 * the plan takes for agents. Asks of pending nodes alone: any other may have left the cluster.
 */
export async function refuseUndrainable(session: Session, state: RolloutState, options: RunOptions, signal: AbortSignal): Promise<void> {
  const { plan, nodes } = state;
  const gate = await drainGate(session, plan, options);
  if (!gate) return;
  const toBegin = new Set(plan.nodes.flatMap(({ name }, place) => (nodes[place]?.step === 'pending' ? [name] : [])));
  const members = (await plannedTargets(session, plan)).filter(({ name, labels }) => toBegin.has(name) && isInCluster(labels));
  const hasBegun = nodes.some(({ step, attempt }) => step !== 'pending' || attempt > 0);
  const servers = await gate.serversAmong(members, signal, hasBegun ? CLUSTER_PATIENCE_MS : 0);
  const known = new Set(plan.nodes.flatMap(({ name, serves }) => (serves === '' ? [] : [name])));
  const unknown = servers.filter(({ name }) => !known.has(name)).map(({ name }) => name);
  if (servers.length < 2 || unknown.length === 0) return;
  const found = `the rollout would not know that Kubernetes has ${unknown.join(', ')} for servers, of which never two may be down at once`;
  throw new Failure('INVALID_REQUEST', `Cannot drain the nodes: ${found}; enroll each again with its labels, and --label k3s=server`, {
    field: 'gate',
  });
}

export async function drainGate({ world }: Session, plan: Plan, options: RunOptions): Promise<DrainGate | undefined> {
  if (!plan.options.gates.includes('k3s')) return undefined;
  const [{ K3sGate }, { kubectlOf }] = await Promise.all([import('../../rollout/k3s-gate.ts'), import('../../rollout/kubectl.ts')]);
  const { kubeconfig, drainTimeout } = options;
  const kubectl = kubectlOf({ env: world.env, ...(kubeconfig !== undefined && { kubeconfig }) });
  return new K3sGate({ kubectl, clock: world.clock, rolloutId: plan.id, drainMs: drainTimeout });
}
