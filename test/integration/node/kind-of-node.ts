// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import type { TestContext } from 'vitest';
import { until } from '../../../qemu/host/deadline.ts';
import { namespaceDriver } from '../../../qemu/namespace/namespace-driver.ts';
import { resumedVmDriver } from '../../../qemu/vm/vm-driver.ts';

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

/** Before the letter of a slot, the device that RAUC writes its root to. */
export const ROOT_SLOT = IN_VM ? '/dev/mapper/root-' : '/dev/disk/by-partlabel/root-';

/** Asks again and again, as often as this kind of node can bear, until there is an answer: see until(). */
export const eventually = <T>(what: string, timeoutMs: number, probe: () => Promise<T | undefined>): Promise<T> =>
  until(what, timeoutMs, probe, PAUSE_MS);
