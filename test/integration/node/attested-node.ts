// SPDX-License-Identifier: Apache-2.0
import { expect } from 'vitest';
import type { VirtualNode } from '../../../qemu/driver.ts';
import type { Homelab } from '../../../qemu/homelab.ts';
import { json, shellOk } from './ask-node.ts';
import { onNode, type Scenario, type Variant } from './scenario.ts';

/** Of the exits of lamactl. */
const FIRST_USE_EXIT = 14;
const ATTIC = ['-n', 'attic'];

export interface Judged {
  readonly verdict: string;
  readonly image?: string;
  readonly reason?: string;
  readonly pcr?: number;
  readonly found?: string;
}

/** The TPM's maker and the firmware are believed at first use, and nothing else is. */
export const FIRST_USE = { verdict: 'TRUSTED (first use)', believed: ['endorsement key', 'PCR 0', 'PCR 2', 'PCR 7'] };

export async function judge(homelab: Homelab, ...options: string[]): Promise<Judged> {
  const { nodes } = await json<{ nodes: Judged[] }>(homelab, 'attest', 'run', ...options);
  return nodes[0]!;
}

/** Enrols nodes, and believes their firmware. */
export async function believe(homelab: Homelab, nodes: readonly string[] = ATTIC): Promise<void> {
  expect((await homelab.lamactl(['attest', 'enroll', ...nodes, '--accept-new'])).exitCode).toBe(FIRST_USE_EXIT);
  expect((await homelab.lamactl(['attest', 'learn', ...nodes])).exitCode).toBe(FIRST_USE_EXIT);
}

/** Has nodes expected to boot a version, from its files alone: on a new disk, and ever after. */
export async function expectImage(homelab: Homelab, version: string, nodes: readonly string[] = ATTIC): Promise<void> {
  const { ukis, loader } = await homelab.bootFiles(version);
  for (const more of [[], ...(loader ? [['--loader', loader, '--add']] : [])]) {
    expect(await homelab.lamactl(['attest', 'learn', ...nodes, '--uki', ...ukis, ...more])).toMatchObject({ exitCode: 0 });
  }
}

/** For --expect: the UKI that an update of version 1, which is in slot A, to this version leads to. */
export async function ukiAfterUpdate(homelab: Homelab, version: string): Promise<string> {
  return (await homelab.bootFiles(version)).ukis.at(-1)!;
}

/** Runs a test on a node that was enrolled, and is expected to run version 1. */
export function onEnrolledNode(test: (scenario: Scenario) => Promise<void>, variant: Variant = {}): Promise<void> {
  return onNode(variant, async (scenario) => {
    await believe(scenario.homelab);
    await expectImage(scenario.homelab, '1');
    await test(scenario);
  });
}

/** Runs one of tpm2-tools on the node, as its root. */
export async function tpm(node: VirtualNode, command: string): Promise<void> {
  await shellOk(node, `TPM2TOOLS_TCTI=${node.tcti} tpm2_${command}`);
}

/** Extends a PCR with what no log tells of. */
export const spoil = (node: VirtualNode, pcr = 4): Promise<void> => tpm(node, `pcrextend ${pcr}:sha256=${'1'.repeat(64)}`);
