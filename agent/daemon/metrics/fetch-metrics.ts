// SPDX-License-Identifier: Apache-2.0
import { Counter, type Registry } from 'prom-client';
import type { Phase, UpdateState } from '../update/life/state.ts';

/** In these RAUC may still read from the bundle, or nothing says that it read all that it needed. */
const UNDECIDED: ReadonlySet<Phase> = new Set(['downloading', 'inspecting', 'installing', 'failed']);

/** What bundles cost the network, and what they did not. Gives the function that is told each state of the update. */
export function fetchMetrics(registry: Registry): (state: UpdateState) => void {
  const counter = (name: string, help: string) => new Counter({ name, help, registers: [registry] });
  const fetched = counter('lamadist_bundle_fetched_bytes_total', 'Bytes of bundles that were fetched while this agent ran.');
  const reused = counter('lamadist_bundle_reused_bytes_total', 'Bytes of bundles that need not be fetched: the slots held them already.');
  /** What was counted of the update that is under way; undefined before the first state. */
  let counted: { readonly id: string; readonly bytes: number | undefined; readonly done: boolean } | undefined;

  return (state) => {
    const id = state.phase === 'idle' ? '' : state.operation.id;
    const now = state.phase === 'idle' ? null : state.fetched;
    const done = !UNDECIDED.has(state.phase);
    // What is there at first was counted by the agent, or with the update, that fetched it.
    const before = counted?.id === id && counted.bytes !== undefined ? counted : { bytes: now?.bytes, done: !counted && done };
    counted = { id, bytes: before.bytes === undefined ? now?.bytes : Math.max(before.bytes, now?.bytes ?? 0), done: before.done || done };
    if (!now || before.bytes === undefined) return;
    fetched.inc(Math.max(now.bytes - before.bytes, 0));
    if (done && !before.done) reused.inc(Math.max(now.sizeBytes - now.bytes, 0));
  };
}
