// SPDX-License-Identifier: Apache-2.0

import { lockFile } from '../file-lock.ts';
import { type Answer, ask } from '../fleet/ask.ts';
import type { Target } from '../node/node.ts';
import type { NodeTrust } from '../node/node-access.ts';
import { straysOf } from './certificates-of.ts';
import { applyTrust, everyNode } from './fleet-trust.ts';
import { isIssuedBy, makeAuthority } from './issuing.ts';
import { keepTrust, type Office } from './office.ts';
import { authorityOf, type Issued, type KeptAuthority, type Registry, trustOf } from './registry.ts';
import { reissueClients, renewOwn } from './reissue.ts';
import { onlyUnder, renewNodes } from './renew.ts';
import { advance, type Rotation, RotationFile, type Stage } from './rotation.ts';

export interface RotateOptions {
  /** The PKCS#11 URI of the new authority's key; without it one is made, and kept encrypted. */
  readonly token?: string;
  /** Whether the owners of the certificates that were issued anew have them. */
  readonly handedOver: boolean;
  readonly timeoutMs: number;
  /** Hears of each stage as it begins. */
  readonly onStage: (stage: Stage, from: string, to: string) => void;
}

/** Where a rotation stands when a run of it ends. */
export interface RotationReport {
  readonly stage: Stage | 'finished';
  readonly from: string;
  readonly to: string;
  /** Of the last stage, node by node. */
  readonly nodes: readonly Answer<unknown>[];
  /** Files with certificates for others, who have to get them. */
  readonly toHandOver: readonly string[];
  /** Certificates of nodes that the old authority's end would lock out: they are not in the context. */
  readonly strays: readonly Issued[];
}

/**
 * Carries a rotation on as far as it goes, beginning it when there is none. Every step of it can be done twice; one lamactl does at a time.
 * Throws a Failure.
 */
export async function rotate(office: Office, options: RotateOptions): Promise<RotationReport> {
  const file = new RotationFile(office.folder);
  await office.registry.read();
  const unlock = await lockFile(file.path, 0);
  try {
    return await carryOn(office, file, options);
  } finally {
    await unlock();
  }
}

async function carryOn(office: Office, file: RotationFile, options: RotateOptions): Promise<RotationReport> {
  let rotation = (await file.readIfThere()) ?? (await begin(office, file, options.token));
  for (;;) {
    const [from, to] = await bothOf(office, rotation);
    options.onStage(rotation.stage, from.name, to.name);
    const { nodes, toHandOver, strays } = { ...NOTHING, ...(await STEPS[rotation.stage](office, rotation, options)) };
    const report = { from: from.name, to: to.name, nodes, toHandOver, strays };
    const unconfirmed = nodes.filter(({ ok }) => !ok).map(({ target }) => target.name);
    const next = advance(rotation.stage, { unconfirmed, toHandOver, strays });
    if (next.type === 'waiting') {
      if (toHandOver.length > 0) await file.write({ ...rotation, told: [...new Set([...(rotation.told ?? []), ...toHandOver])] });
      return { stage: rotation.stage, ...report };
    }
    if (next.type === 'finished') {
      await finish(office, file, from);
      return { stage: 'finished', ...report };
    }
    rotation = { ...rotation, stage: next.stage };
    await file.write(rotation);
  }
}

type StepResult = Pick<RotationReport, 'nodes' | 'toHandOver' | 'strays'>;
const NOTHING: StepResult = { nodes: [], toHandOver: [], strays: [] };

const STEPS: Readonly<Record<Stage, (office: Office, rotation: Rotation, options: RotateOptions) => Promise<Partial<StepResult>>>> = {
  trusting: async (office, { from }, options) => {
    const { authorities } = await office.registry.read();
    // lamactl itself first: a node may show a certificate of the new one from the next stage on.
    await keepTrust(office);
    const nodes = await applyTrust(office.world, await everyNode(office), trustOf(authorities), options.timeoutMs);
    // As long as the administrator's own certificate is the old one, they can be added to the context.
    return { nodes, strays: await straysBeside(nodes, office, from) };
  },

  reissuing: async (office, { to }, options) => {
    await office.registry.change(async (registry) => ({ registry: { ...registry, signing: to }, result: undefined }));
    const accepted = await renewOwn(office, to, options.timeoutMs);
    if (accepted.some(({ ok }) => !ok)) return { nodes: accepted };
    return { nodes: await renewThose(office, to, options.timeoutMs) };
  },

  'handing-over': async (office, { from, to, told = [] }, options) => {
    const files = await reissueClients(office, from, to);
    // Nobody can have handed over what nobody was told of.
    return { toHandOver: options.handedOver ? files.filter((file) => !told.includes(file)) : files };
  },

  dropping: async (office, { from, to }, options) => {
    // Of nodes that joined since, some have certificates of the old one.
    const late = await renewThose(office, to, options.timeoutMs);
    if (late.some(({ ok }) => !ok)) return { nodes: late };
    const { authorities } = await office.registry.read();
    const targets = await everyNode(office);
    const alone = trustOf(authorities.filter(({ id }) => id !== from));
    const renewed = authorityOf(authorities, to);
    // Nothing is taken from any node before every node has shown that it can do without.
    const shown = await ask(underAlone(targets, renewed), office.world.connect, { timeoutMs: options.timeoutMs }, (node) => node.trust());
    const strays = await straysBeside(shown, office, from);
    if (shown.some(({ ok }) => !ok) || strays.length > 0) return { nodes: shown, strays };
    return { nodes: await applyTrust(office.world, targets, alone, options.timeoutMs) };
  },
};

/** Certificates that no node of the context has the key of; none are known before all have shown their own. */
async function straysBeside(shown: readonly Answer<NodeTrust>[], { registry, world }: Office, from: number): Promise<readonly Issued[]> {
  if (shown.some(({ ok }) => !ok)) return [];
  const known = shown.flatMap((answer) => (answer.ok ? [answer.value] : []));
  return straysOf(await registry.read(), from, known, world.clock.now());
}

const underAlone = (targets: readonly Target[], { certificate }: KeptAuthority) => targets.map((target) => onlyUnder(target, certificate));

async function begin(office: Office, file: RotationFile, token: string | undefined): Promise<Rotation> {
  const registry = await office.registry.read();
  const from = registry.signing;
  const begun = registry.authorities.find(({ id, retired_at }) => id !== from && retired_at === undefined);
  const next = begun ?? (await makeNext(office, registry, token));
  const rotation: Rotation = { schema: 1, from, to: next.id, stage: 'trusting' };
  await file.write(rotation);
  return rotation;
}

async function makeNext({ registry: file, keys, world }: Office, registry: Registry, token: string | undefined): Promise<KeptAuthority> {
  const id = Math.max(...registry.authorities.map((each) => each.id)) + 1;
  const name = authorityOf(registry.authorities, registry.signing).name.replace(/ \d+$/, '');
  const next = await makeAuthority(keys, name, id, token, world);
  await file.change(async (now) => ({ registry: { ...now, authorities: [...now.authorities, next] }, result: undefined }));
  return next;
}

async function bothOf({ registry }: Office, { from, to }: Rotation): Promise<readonly [KeptAuthority, KeptAuthority]> {
  const { authorities } = await registry.read();
  return [authorityOf(authorities, from), authorityOf(authorities, to)];
}

/** Nodes that do not show a certificate of the new authority yet get one. */
async function renewThose(office: Office, to: number, timeoutMs: number): Promise<readonly Answer<unknown>[]> {
  const authority = authorityOf((await office.registry.read()).authorities, to);
  const shown = await ask(await everyNode(office), office.world.connect, { timeoutMs }, async (node) =>
    isIssuedBy((await node.trust()).certificate, authority),
  );
  const old = shown.filter((answer) => answer.ok && !answer.value);
  const renewed = await renewNodes(
    office,
    old.map(({ target }) => target),
    timeoutMs,
  );
  return shown.map((answer) => renewed.find(({ target }) => target === answer.target) ?? answer);
}

async function finish(office: Office, file: RotationFile, from: KeptAuthority): Promise<void> {
  const retired_at = new Date(office.world.clock.now()).toISOString();
  await office.registry.change(async (registry) => {
    const authorities = registry.authorities.map((each) => (each.id === from.id ? { retired_at, ...each } : each));
    return { registry: { ...registry, authorities }, result: undefined };
  });
  await keepTrust(office);
  await file.remove();
}
