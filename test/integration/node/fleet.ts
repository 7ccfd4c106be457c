// SPDX-License-Identifier: Apache-2.0
import type { VirtualNode } from '../../../qemu/driver.ts';
import type { Homelab, NodeOptions } from '../../../qemu/homelab.ts';
import { json } from './ask-node.ts';
import { BOOT, DRIVER, eventually } from './kind-of-node.ts';
import { check, nothingWasDenied, withHomelab } from './scenario.ts';

/** Where a node has this file, version 3 is not healthy on it. */
export const NOT_FOR_THREE = { path: '/etc/lamadist-agent/not-for-3', content: '' };
const THREE_CHECK = check(
  'not-for-3',
  'interval: 1s',
  'retries: 1',
  'condition: { type: command, argv: ["/usr/bin/test", "!", "-e", "/etc/lamadist-agent/not-for-3"] }',
);

/** Where a rollout stands, as `lamactl rollout status -o json` tells. */
export interface RolloutReport {
  readonly rollout: string;
  readonly phase: string;
  readonly why: string;
  readonly wave: number;
  readonly nodes: readonly { readonly node: string; readonly wave: number; readonly step: string; readonly why: string }[];
}

/** Several nodes with version 1, and bundles of the versions 2 and 3 on the administrator's machine. */
export class Fleet {
  private constructor(
    readonly homelab: Homelab,
    readonly nodes: readonly VirtualNode[],
  ) {}

  /** Makes nodes, switched on, and bundles of more versions; whatever happens in `use`, they are taken away afterwards. */
  static async with(
    names: readonly string[],
    options: (name: string) => NodeOptions,
    use: (fleet: Fleet) => Promise<void>,
    more: readonly string[] = [],
  ): Promise<void> {
    await withHomelab(DRIVER, async (homelab) => {
      const image = await homelab.image('1');
      await homelab.bundle(await homelab.image('2'));
      await homelab.bundle(await homelab.image('3', { files: [THREE_CHECK] }));
      for (const version of more) await homelab.bundle(await homelab.image(version));
      const nodes: VirtualNode[] = [];
      for (const name of names) {
        const node = await homelab.addNode(name, image, options(name));
        nodes.push(node);
        await node.start();
      }
      for (const node of nodes) await node.waitForBoot(BOOT);
      const fleet = new Fleet(homelab, nodes);
      await fleet.answers(names);
      await use(fleet);
      await nothingWasDenied(homelab);
    });
  }

  node(name: string): VirtualNode {
    const node = this.nodes.find((each) => each.name === name);
    if (!node) throw new Error(`There is no node ${name}`);
    return node;
  }

  async answers(names: readonly string[]): Promise<void> {
    await eventually(`${names.join(', ')} to be healthy`, BOOT.timeoutMs, async () => {
      return (await this.homelab.lamactl(['status', '-n', names.join(',')])).exitCode === 0 || undefined;
    });
  }

  /** The exit code and what was printed; the code may be asserted on with the text beside it. */
  async rollout(...args: string[]): Promise<{ readonly exitCode: number | undefined; readonly all: string }> {
    const { exitCode, all } = await this.homelab.lamactl(['rollout', ...args]);
    return { exitCode, all: String(all) };
  }

  status(): Promise<RolloutReport> {
    return json<RolloutReport>(this.homelab, 'rollout', 'status');
  }

  /** The step of each node of the last rollout. */
  async steps(): Promise<Readonly<Record<string, string>>> {
    return Object.fromEntries((await this.status()).nodes.map(({ node, step }) => [node, step]));
  }

  /** The version that each node runs; empty for one that does not answer. */
  async versions(): Promise<Readonly<Record<string, string>>> {
    const { nodes } = await json<{ nodes: { node: string; version?: string }[] }>(this.homelab, 'status', '--all');
    return Object.fromEntries(nodes.map(({ node, version = '' }) => [node, version]));
  }
}
