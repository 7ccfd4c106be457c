// SPDX-License-Identifier: Apache-2.0
import type { Logger } from 'pino';
import { Failure } from '../../../shared/failure.ts';
import type { Clock } from '../../timing/clock.ts';
import type { Installer, Slot } from '../installer.ts';
import type { CurrentBoot, Gate, Reboot, TrialMarks } from '../ports.ts';
import { patiently } from './patience.ts';
import { leaveSlot } from './stray-trial.ts';
import { untilDone } from './until-done.ts';

export interface SteadyBootParts {
  readonly installer: Pick<Installer, 'slots' | 'markGood' | 'markBad'>;
  readonly reboot: Reboot;
  readonly marks: TrialMarks;
  readonly gate: Gate;
  readonly boot: CurrentBoot;
  readonly clock: Clock;
  readonly log: Logger;
  /** Whether no update is under way, so that nothing may be armed. */
  readonly settled: () => boolean;
}

/**
 * A boot into a slot that was committed before. It passes the same gate, and is marked good each time, for some boot
 * loaders count every boot; but with no slot that is known to be better, an unhealthy one is reported and tried again. One that
 * was never committed is left when it is not healthy: the update that it belongs to was lost with its journal.
 */
export function steadyBoot(parts: SteadyBootParts, signal: AbortSignal): Promise<void> {
  return untilDone(parts, 'The booted slot could not be marked good', signal, () => attempt(parts, signal));
}

async function attempt(parts: SteadyBootParts, signal: AbortSignal): Promise<boolean> {
  const { installer, marks, gate, boot, clock, log } = parts;
  // Asked first: nobody else wakes a RAUC that starts when it is spoken to, and a health check may want it running.
  const slots = await patiently(clock, signal, () => installer.slots(signal));
  const booted = slots.find((slot) => slot.bootname === boot.bootname);
  const decision = await gate(() => undefined, signal);
  await marks.gate(decision.passed ? 'passed' : 'failed');
  if (!decision.passed) {
    log.error({ code: decision.code, failedChecks: decision.failedChecks }, 'The booted slot is not healthy');
    if (!booted || !parts.settled() || !neverCommitted(booted, slots)) return false;
    log.error({ slot: booted.name }, 'The booted slot was never committed, and no update knows of it; going back to the slot before');
    await leaveSlot(parts, booted, signal);
    return true;
  }
  if (!booted) throw new Failure('RAUC_REFUSED', `Cannot mark the booted slot good: RAUC knows none with the bootname "${boot.bootname}"`);
  await installer.markGood(booted.name, signal);
  // Only now: where the journal of a trial was lost, the commit deadline is all that still watches over it.
  await marks.committed();
  if (parts.settled()) await marks.disarm();
  log.info({ slot: booted.name }, 'The booted slot is healthy and marked good');
  return true;
}

/** A trial as the boot loader sees it, which could boot the other slot instead. */
const neverCommitted = (booted: Slot, slots: readonly Slot[]): boolean =>
  booted.bootStatus === 'bad' && slots.some((slot) => slot !== booted && slot.bootStatus === 'good');
