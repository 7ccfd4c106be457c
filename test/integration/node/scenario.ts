// SPDX-License-Identifier: Apache-2.0
import { expect } from 'vitest';
import type { Driver, VirtualNode } from '../../../qemu/driver.ts';
import type { Homelab, NodeOptions } from '../../../qemu/homelab.ts';
import { sayOnStderr } from '../../../qemu/host/say.ts';
import type { ImageFile } from '../../../qemu/image/product-files.ts';
import { withLoggedHomelab } from '../../../qemu/logged-homelab.ts';
import { vmDriver } from '../../../qemu/vm/vm-driver.ts';
import { agentAnswers } from './ask-node.ts';
import { denials } from './denials.ts';
import { BOOT, DRIVER, IN_VM } from './kind-of-node.ts';

const LAST_WORDS = 8_000;

export const check = (name: string, ...lines: string[]): ImageFile => ({
  path: `/usr/lib/lamadist-agent/health.d/${name}.yaml`,
  content: [`description: ${name}`, 'severity: required', ...lines, ''].join('\n'),
});

/** A required check that fails at once: nothing listens on that port. */
export const FAILING_CHECK = check('web-server', 'interval: 1s', 'retries: 1', 'condition: { type: tcp, host: 127.0.0.1, port: 1 }');

/** A node with version 1, and a bundle of version 2 with these files in its image. */
export interface Scenario {
  readonly homelab: Homelab;
  readonly node: VirtualNode;
  /** The bundle's path on the node. */
  readonly bundle: string;
}

export interface Variant {
  /** What version 2 has that version 1 has not, and the other way round. */
  readonly files?: readonly ImageFile[];
  readonly without?: readonly string[];
  readonly words?: readonly string[];
  readonly node?: NodeOptions;
  /** A virtual machine from its first boot on, and not one that goes on from a boot before. */
  readonly fresh?: true;
  /** Nobody asks at the end what SELinux denied: the test makes it deny something, brings files that it denies, or leaves the machine off. */
  readonly ignoresDenials?: true;
  /** Under which its logs are kept: the test's name unless it says otherwise. */
  readonly title?: string;
}

const testName = (): string => expect.getState().currentTestName ?? 'no test';

/** Runs a test with a homelab of its own, keeps the logs of its nodes under a title, and takes everything away afterwards. */
export async function withHomelab(driver: Driver, test: (homelab: Homelab) => Promise<void>, title = testName()): Promise<void> {
  await withLoggedHomelab(title, sayOnStderr, driver, async (homelab) => {
    try {
      await test(homelab);
    } catch (error) {
      // Whoever reads a failed run has nothing else to look at.
      for (const node of homelab.nodes) sayOnStderr(await lastWords(node));
      throw error;
    }
  });
}

/** Runs a test on a node of its own, and takes everything away afterwards. */
export function onNode(variant: Variant, test: (scenario: Scenario) => Promise<void>): Promise<void> {
  const { files = [], without = [], words = [], title } = variant;
  const inHomelab = async (homelab: Homelab) => {
    const node = await homelab.addNode('attic', await homelab.image('1'), variant.node);
    const bundle = await homelab.bundle(await homelab.image('2', { files, without, words }));
    await node.start();
    await node.waitForBoot(BOOT);
    await agentAnswers(homelab);
    await test({ homelab, node, bundle: await node.deliver(bundle) });
    if (!variant.ignoresDenials) await nothingWasDenied(homelab);
  };
  return withHomelab(variant.fresh && IN_VM ? vmDriver : DRIVER, inHomelab, title);
}

/** Fails when SELinux denied anything on a node, which is on; nodes in namespaces have no SELinux of their own. */
export async function nothingWasDenied({ nodes }: Homelab): Promise<void> {
  for (const node of IN_VM ? nodes : []) expect(await denials(node), node.name).toEqual([]);
}

/** The ends of all that it leaves to read, also when it is off. */
async function lastWords(node: VirtualNode): Promise<string> {
  const logs = Object.entries(await node.logs());
  return logs.map(([name, text]) => `--- the end of the ${name} of ${node.name}\n${text.slice(-LAST_WORDS)}\n---`).join('\n');
}
