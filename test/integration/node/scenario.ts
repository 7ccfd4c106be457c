// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { expect, type TestContext } from 'vitest';
import type { UpdateState } from '../../../agent/daemon/update/life/state.ts';
import type { Driver, VirtualNode } from '../../../qemu/driver.ts';
import { Homelab, type NodeOptions } from '../../../qemu/homelab.ts';
import { until } from '../../../qemu/host/deadline.ts';
import { sayOnStderr } from '../../../qemu/host/say.ts';
import type { ImageFile } from '../../../qemu/image/build-image.ts';
import { KeptLogs } from '../../../qemu/kept-logs.ts';
import { namespaceDriver } from '../../../qemu/namespace/namespace-driver.ts';
import { resumedVmDriver, vmDriver } from '../../../qemu/vm/vm-driver.ts';
import { denials } from './denials.ts';

/** Which kind of node the scenarios run on: `npm run test:vm` sets this variable. */
export const IN_VM = process.env.LAMADIST_NODE === 'vm';
export const DRIVER = IN_VM ? resumedVmDriver : namespaceDriver;
/** For tests of bundles that the agent fetches whole; where the kernel of the nodes has network block devices RAUC streams. */
export const skipWhereRaucStreams = ({ skip }: TestContext): void =>
  skip(existsSync('/sys/class/block/nbd0'), 'this kernel has network block devices, so RAUC streams: see test/machine/streaming.test.ts');

/** Booting takes two seconds in namespaces and a minute in an emulated machine, if it is idle; these are for a busy one. */
export const BOOT = { timeoutMs: IN_VM ? 900_000 : 60_000 };
export const QUICK = { timeoutMs: IN_VM ? 120_000 : 30_000 };
/** For a whole scenario with a few boots. */
export const SCENARIO_MS = IN_VM ? 1_800_000 : 180_000;
/** Between two questions: each costs an emulated machine ten processes. */
const PAUSE_MS = IN_VM ? 4_000 : 50;
const LAST_WORDS = 8_000;
/** Until an update is where it should be. */
const UPDATE_MS = IN_VM ? 900_000 : 120_000;

export const check = (name: string, ...lines: string[]): ImageFile => ({
  path: `/usr/lib/lamadist-agent/health.d/${name}.yaml`,
  content: [`description: ${name}`, 'severity: required', ...lines, ''].join('\n'),
});

/** A required check that fails at once: nothing listens on that port. */
export const FAILING_CHECK = check('web-server', 'interval: 1s', 'retries: 1', 'condition: { type: tcp, host: 127.0.0.1, port: 1 }');

/** How a node with version 1 looks after an update to version 2 was committed, and after it was rolled back. */
export const COMMITTED = { version: '2', booted: 'B', slots: { A: 'good', B: '2 ok good primary' } };
export const ROLLED_BACK = { version: '1', booted: 'A', slots: { A: 'good primary', B: '2 ok bad' } };

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
  /** Nobody asks at the end what SELinux denied: the test makes it deny something, or leaves the machine off. */
  readonly ignoresDenials?: true;
  /** Under which its logs are kept: the test's name unless it says otherwise. */
  readonly title?: string;
}

const testName = (): string => expect.getState().currentTestName ?? 'no test';

/** Runs a test with a homelab of its own, keeps the logs of its nodes under a title, and takes everything away afterwards. */
export async function withHomelab(driver: Driver, test: (homelab: Homelab) => Promise<void>, title = testName()): Promise<void> {
  const logs = new KeptLogs(title);
  const homelab = await Homelab.create(sayOnStderr, logs.around(driver));
  try {
    await test(homelab);
  } catch (error) {
    // Whoever reads a failed run has nothing else to look at.
    for (const node of homelab.nodes) sayOnStderr(await lastWords(node));
    throw error;
  } finally {
    await logs.finish();
    await homelab.remove();
  }
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

/** Runs a command line on the node that has to succeed; returns what it printed. */
export async function shellOk(node: VirtualNode, command: string, options = QUICK): Promise<string> {
  const { exitCode, stdout, stderr } = await node.shell(command, options);
  if (exitCode !== 0) throw new Error(`Cannot run "${command}" on ${node.name}: it ended with ${exitCode}: ${stderr.trim()}`);
  return stdout;
}

/** The ends of all that it leaves to read, also when it is off. */
async function lastWords(node: VirtualNode): Promise<string> {
  const logs = Object.entries(await node.logs());
  return logs.map(([name, text]) => `--- the end of the ${name} of ${node.name}\n${text.slice(-LAST_WORDS)}\n---`).join('\n');
}

export async function agentAnswers(homelab: Homelab): Promise<void> {
  await until(
    'the agent to answer',
    BOOT.timeoutMs,
    async () => {
      const { exitCode } = await homelab.lamactl(['version']);
      return exitCode === 0 || undefined;
    },
    PAUSE_MS,
  );
}

/** The update as the node journaled it, whether or not its agent runs. */
export async function journaled(node: VirtualNode): Promise<UpdateState> {
  const { stdout } = await node.shell('cat /var/lib/lamadist-agent/update.json', QUICK);
  return stdout === '' ? { phase: 'idle' } : (JSON.parse(stdout) as { state: UpdateState }).state;
}

/** Waits, through reboots, until the update is in one of these phases. */
export async function reaches(node: VirtualNode, ...phases: UpdateState['phase'][]): Promise<UpdateState> {
  let last = 'unknown';
  return until(
    `the update to be ${phases.join(' or ')}`,
    UPDATE_MS,
    async () => {
      // Between two boots there is nobody to ask.
      const state = await journaled(node).catch(() => undefined);
      last = state?.phase ?? last;
      return state && phases.includes(state.phase) ? state : undefined;
    },
    PAUSE_MS,
  ).catch((error: Error) => {
    throw new Error(`${error.message}; it was ${last}`);
  });
}

interface SlotReport {
  readonly bootname: string;
  readonly booted: boolean;
  readonly primary: boolean;
  readonly version: string;
  readonly status: string;
  readonly bootStatus: string;
}

interface StatusReport {
  readonly state: string;
  readonly version: string;
  readonly device: { readonly rauc: string; readonly slots: readonly SlotReport[] };
}

export interface NodeReport {
  readonly state: string;
  readonly version: string;
  /** The bootname of the booted slot. */
  readonly booted: string;
  /** By bootname, in a few words: "2 ok good primary". */
  readonly slots: Readonly<Record<string, string>>;
}

/** What lamactl says of the node, once its RAUC answers: an emulated one may take longer than the agent waits. */
export async function report(homelab: Homelab): Promise<NodeReport> {
  const node = await until(
    'RAUC to answer',
    BOOT.timeoutMs,
    async () => {
      const { nodes } = await json<{ nodes: StatusReport[] }>(homelab, 'status');
      if (!nodes[0]?.device) throw new Error('Cannot tell the slots: the node did not answer');
      return nodes[0].device.rauc === 'unreachable' ? undefined : nodes[0];
    },
    PAUSE_MS,
  );
  const { slots } = node.device;
  const words = ({ version, status, bootStatus, primary }: SlotReport) =>
    [version, status, bootStatus, primary && 'primary'].filter((word) => word).join(' ');
  const booted = slots.find((slot) => slot.booted)?.bootname ?? '';
  return { state: node.state, version: node.version, booted, slots: Object.fromEntries(slots.map((slot) => [slot.bootname, words(slot)])) };
}

export async function json<T>(homelab: Homelab, ...args: string[]): Promise<T> {
  const { stdout, stderr } = await homelab.lamactl([...args, '--output', 'json']);
  try {
    return JSON.parse(String(stdout)) as T;
  } catch {
    throw new Error(`Cannot read what lamactl ${args.join(' ')} printed: ${stdout}${stderr}`);
  }
}

/** Before the letter of a slot, the device that RAUC writes its root to. */
export const ROOT_SLOT = IN_VM ? '/dev/mapper/root-' : '/dev/disk/by-partlabel/root-';

/** What both slots hold, bit by bit. */
export const slotHashes = (node: VirtualNode): Promise<string> => shellOk(node, `sha256sum ${ROOT_SLOT}[ab]`, BOOT);
