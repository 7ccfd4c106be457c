// SPDX-License-Identifier: Apache-2.0
import { ROLLBACK_CODES } from '../../agent/daemon/update/life/rollback-code.ts';
import type { Phase, UpdateState } from '../../agent/daemon/update/life/state.ts';
import { FAILURES } from '../../agent/shared/failure.ts';
import type { VirtualNode } from '../../qemu/driver.ts';
import type { Homelab } from '../../qemu/homelab.ts';
import { until } from '../../qemu/host/deadline.ts';
import { agentAnswers, journaled, report, shellOk } from '../integration/node/ask-node.ts';
import type { Fault } from './fault.ts';

/** An update of one node during which something is done to it. */
export interface Round {
  readonly fault: Fault;
  /** The phase to wait for, and how long after its beginning to strike. */
  readonly phase: Phase;
  readonly delayMs: number;
  /** On the node's host. */
  readonly bundle: { readonly path: string; readonly version: string };
}

export interface Outcome {
  /** The phase in which the update really was. */
  readonly struckIn: string;
  readonly ended: string;
  /** Why the node counts as lost; undefined when it survived. */
  readonly lost: string | undefined;
}

const PATIENCE = { timeoutMs: 60_000 };
/** A shell in a node that reboots may be neither answered nor ended. */
const LOOK = { timeoutMs: 10_000 };
/** A trial that the deadline has to end takes longest. */
const UPDATE_MS = 300_000;
const ENDED = ['committed', 'rolled-back', 'failed'];

export async function play(homelab: Homelab, node: VirtualNode, round: Round): Promise<Outcome> {
  const before = await report(homelab);
  const bundle = await node.deliver(round.bundle.path);
  const lastId = operationOf(await journaled(node));
  const started = await homelab.lamactl(['install', '--on-node', '--force', '--allow-downgrade', '--no-wait', bundle]);
  if (started.exitCode !== 0) return { struckIn: 'none', ended: 'refused', lost: `it took no update: ${started.all}` };
  const struckIn = await waitToStrike(node, round, lastId);
  await round.fault.strike(node).catch(() => undefined);
  try {
    const state = await until('the update to end', UPDATE_MS, async () => {
      const now = await journaled(node).catch(() => undefined);
      return now && operationOf(now) !== lastId && ENDED.includes(now.phase) ? now : undefined;
    });
    await settled(homelab, node);
    const ended = 'reason' in state ? `${state.phase} (${state.reason.code})` : state.phase;
    return { struckIn, ended, lost: await judge(homelab, node, state, before.version, round.bundle.version) };
  } catch (error) {
    return { struckIn, ended: 'nothing', lost: (error as Error).message };
  }
}

const operationOf = (state: UpdateState): string => (state.phase === 'idle' ? '' : state.operation.id);

/** Waits inside the node, where no time is lost, and through its reboots. Returns the phase that was found in the end. */
async function waitToStrike(node: VirtualNode, { phase, delayMs }: Round, before: string): Promise<string> {
  const journal = '/var/lib/lamadist-agent/update.json';
  const found = `grep -qsE '"phase": "(${[phase, ...ENDED].join('|')})",?$' ${journal} && ! grep -qs '"id": "${before || 'none'}"' ${journal}`;
  const line = `until ${found}; do sleep 0.01; done; sleep ${(delayMs / 1000).toFixed(3)}`;
  await until(`the phase ${phase}`, 120_000, async () => {
    const waited = await node.shell(line, LOOK).catch(() => undefined);
    return waited?.exitCode === 0 || undefined;
  });
  return journaled(node).then(
    (state) => state.phase,
    () => 'between boots',
  );
}

/** The boot that the update ended in, or one after it, is up. */
async function settled(homelab: Homelab, node: VirtualNode): Promise<void> {
  await node.waitForBoot(PATIENCE);
  await agentAnswers(homelab);
  await until('RAUC to be free', PATIENCE.timeoutMs, async () => {
    const { exitCode } = await node.shell('rauc status', PATIENCE);
    return exitCode === 0 || undefined;
  });
}

/** What must be true whatever was done to the node: undefined when it is. */
async function judge(homelab: Homelab, node: VirtualNode, state: UpdateState, before: string, wanted: string): Promise<string | undefined> {
  const after = await report(homelab);
  const expected = state.phase === 'committed' ? wanted : before;
  if (after.version !== expected) return `it runs ${after.version} and not ${expected} after ${state.phase}`;
  if (!after.slots[after.booted]?.includes('good primary')) return `its booted slot is "${after.slots[after.booted]}"`;
  if ('reason' in state && !(state.reason.code in FAILURES) && !(state.reason.code in ROLLBACK_CODES))
    return `no reason: ${state.reason.code}`;
  if ('reason' in state && state.reason.code === 'INTERNAL') return `an internal error: ${state.reason.message}`;
  const damaged = await shellOk(node, 'ls /var/lib/lamadist-agent/*.damaged 2>/dev/null || :');
  return damaged === '' ? undefined : 'its journal was damaged';
}
