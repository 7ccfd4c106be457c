// SPDX-License-Identifier: Apache-2.0
import type { Logger } from 'pino';
import { Failure } from '../../../shared/failure.ts';
import type { Clock } from '../../timing/clock.ts';
import type { Installer, Slot } from '../installer.ts';
import type { TrialRecord } from '../life/event.ts';
import { isTrial, type UpdateState } from '../life/state.ts';
import type { CurrentBoot, Reboot, TrialMarks } from '../ports.ts';
import { patiently } from './patience.ts';
import { untilDone } from './until-done.ts';

export interface StrayTrialParts {
  readonly installer: Pick<Installer, 'slots' | 'markBad'>;
  readonly marks: Pick<TrialMarks, 'disarm' | 'gate'>;
  readonly reboot: Reboot;
  readonly boot: CurrentBoot;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Whether this boot is a trial that no update knows of: its journal was lost. Nobody can say that it is what was asked for. */
export function isStrayTrial(state: UpdateState, records: readonly TrialRecord[], bootId: string, committed: boolean): boolean {
  return !committed && !isTrial(state) && records.some((record) => record.bootId === bootId && record.what === 'trial');
}

/** Goes back to the slot before, as the commit deadline would, which stays behind this in case it fails. */
export function leaveStrayTrial(parts: StrayTrialParts, signal: AbortSignal): Promise<void> {
  return untilDone(parts, 'A trial boot without an update could not be ended', signal, () => attempt(parts, signal));
}

async function attempt(parts: StrayTrialParts, signal: AbortSignal): Promise<boolean> {
  const { installer, marks, boot, clock, log } = parts;
  log.error({ bootname: boot.bootname }, 'This is a trial boot of an update that nothing is known of; going back to the slot before');
  await marks.gate('failed');
  const booted = (await patiently(clock, signal, () => installer.slots(signal))).find((slot) => slot.bootname === boot.bootname);
  if (!booted) throw new Failure('RAUC_REFUSED', `Cannot leave the booted slot: RAUC knows none with the bootname "${boot.bootname}"`);
  await leaveSlot(parts, booted, signal);
  return true;
}

/** Reboots into the slot before, and has the boot loader forget this one. */
export async function leaveSlot(
  { installer, marks, reboot, clock }: Omit<StrayTrialParts, 'log'>,
  booted: Slot,
  signal: AbortSignal,
): Promise<void> {
  await patiently(clock, signal, () => installer.markBad(booted.name, signal));
  // Should the boot loader have nowhere else to go, the next boot of this slot is no trial.
  await marks.disarm();
  await reboot(signal);
}
