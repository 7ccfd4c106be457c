// SPDX-License-Identifier: Apache-2.0
import type { UpdateState } from '../../../agent/daemon/update/life/state.ts';
import type { VirtualNode } from '../../../qemu/driver.ts';
import type { Homelab } from '../../../qemu/homelab.ts';
import { BOOT, eventually, IN_VM, QUICK, ROOT_SLOT } from './kind-of-node.ts';

/** Until an update is where it should be. */
const UPDATE_MS = IN_VM ? 900_000 : 120_000;

/** How a node with version 1 looks after an update to version 2 was committed, and after it was rolled back. */
export const COMMITTED = { version: '2', booted: 'B', slots: { A: 'good', B: '2 ok good primary' } };
export const ROLLED_BACK = { version: '1', booted: 'A', slots: { A: 'good primary', B: '2 ok bad' } };

/** Runs a command line on the node that has to succeed; returns what it printed. */
export async function shellOk(node: VirtualNode, command: string, options = QUICK): Promise<string> {
  const { exitCode, stdout, stderr } = await node.shell(command, options);
  if (exitCode !== 0) throw new Error(`Cannot run "${command}" on ${node.name}: it ended with ${exitCode}: ${stderr.trim()}`);
  return stdout;
}

export async function agentAnswers(homelab: Homelab): Promise<void> {
  await eventually('the agent to answer', BOOT.timeoutMs, async () => {
    const { exitCode } = await homelab.lamactl(['version']);
    return exitCode === 0 || undefined;
  });
}

/** The update as the node journaled it, whether or not its agent runs. */
export async function journaled(node: VirtualNode): Promise<UpdateState> {
  const { stdout } = await node.shell('cat /var/lib/lamadist-agent/update.json', QUICK);
  return stdout === '' ? { phase: 'idle' } : (JSON.parse(stdout) as { state: UpdateState }).state;
}

/** Waits, through reboots, until the update is in one of these phases. */
export async function reaches(node: VirtualNode, ...phases: UpdateState['phase'][]): Promise<UpdateState> {
  let last = 'unknown';
  return eventually(`the update to be ${phases.join(' or ')}`, UPDATE_MS, async () => {
    // Between two boots there is nobody to ask.
    const state = await journaled(node).catch(() => undefined);
    last = state?.phase ?? last;
    return state && phases.includes(state.phase) ? state : undefined;
  }).catch((error: Error) => {
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
  const node = await eventually('RAUC to answer', BOOT.timeoutMs, async () => {
    const { nodes } = await json<{ nodes: StatusReport[] }>(homelab, 'status');
    if (!nodes[0]?.device) throw new Error('Cannot tell the slots: the node did not answer');
    return nodes[0].device.rauc === 'unreachable' ? undefined : nodes[0];
  });
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

/** What both slots hold, bit by bit. */
export const slotHashes = (node: VirtualNode): Promise<string> => shellOk(node, `sha256sum ${ROOT_SLOT}[ab]`, BOOT);
