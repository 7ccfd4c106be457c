// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../../shared/failure.ts';
import { abortScope } from '../../timing/abort-scope.ts';
import { abortable } from '../../timing/abortable.ts';
import type { Clock } from '../../timing/clock.ts';
import { within } from '../../timing/within.ts';
import type { Installer, InstallerEvent, Slot } from '../installer.ts';
import type { Written } from '../life/effect.ts';
import type { Emit } from '../updater.ts';
import { patiently } from './patience.ts';

interface Ports {
  readonly installer: Installer;
  readonly clock: Clock;
}

/** Writing a slot on the slowest eMMC takes minutes; what takes this long never ends. */
const INSTALL_DEADLINE_MS = 2 * 60 * 60_000;

const ASK_EVERY_MS = 60_000;

/**
 * Sees an install through to its end, which `begin` starts, or which goes on from before the agent was restarted. When the
 * end itself was missed, because the installer or the agent was away, the slot tells how it went.
 */
export function followInstall(
  ports: Ports,
  written: Written,
  begin: (() => Promise<void>) | undefined,
  emit: Emit,
  signal: AbortSignal,
): Promise<void> {
  const work = (inner: AbortSignal) => follow(ports, written, begin, emit, inner);
  return within(ports.clock, INSTALL_DEADLINE_MS, signal, work, () => {
    throw new Failure('DEADLINE_EXCEEDED', 'Cannot wait for the install any longer: RAUC reported no end');
  });
}

async function follow(
  { installer, clock }: Ports,
  written: Written,
  begin: (() => Promise<void>) | undefined,
  emit: Emit,
  signal: AbortSignal,
): Promise<void> {
  const { end, stop } = listen(installer, emit);
  try {
    if (begin) await begin();
    else if (!(await installer.installing(signal)))
      return requireWritten(await installer.slots(signal), written, await installer.lastError(signal));
    const last = await abortScope(signal, ({ signal: inner }) => Promise.race([abortable(end, inner), foundFree(installer, clock, inner)]));
    if (last.type === 'failed') throw new Failure(last.code, last.message);
    if (last.type === 'vanished') requireWritten(await patiently(clock, signal, () => installer.slots(signal)), written);
  } finally {
    stop();
  }
}

/** An installer that tells no end has ended all the same when it is found free; one that does not answer may be at work. */
async function foundFree(installer: Installer, clock: Clock, signal: AbortSignal): Promise<End> {
  const isBusy = () =>
    installer.installing(signal).catch((error) => {
      if (error instanceof Failure && error.code === 'DEADLINE_EXCEEDED') return true;
      throw error;
    });
  do await clock.sleep(ASK_EVERY_MS, signal);
  while (await patiently(clock, signal, isBusy));
  return { type: 'vanished' };
}

type End = Exclude<InstallerEvent, { type: 'progress' }>;

/** Listens from now on, so that an end that comes before anybody awaits it is not missed. */
function listen(installer: Installer, emit: Emit): { end: Promise<End>; stop: () => void } {
  let stop = (): void => {};
  const end = new Promise<End>((resolve) => {
    stop = installer.listen((event) => {
      if (event.type === 'progress') emit({ type: 'install-progress', percent: event.percent, message: event.message });
      else resolve(event);
    });
  });
  return { end, stop };
}

/** Fails unless the slot holds, whole, what this very operation was to write. */
export function requireWritten(slots: readonly Slot[], written: Written, lastError = ''): void {
  const { name } = written.targetSlot;
  const flaw = flawOf(
    slots.find((slot) => slot.name === name),
    written,
  );
  if (flaw === undefined) return;
  throw new Failure(lastError ? 'INSTALL_FAILED' : 'INSTALL_INTERRUPTED', `Cannot use slot "${name}": ${lastError || flaw}`);
}

function flawOf(slot: Slot | undefined, { operationId, version, manifestHash }: Written): string | undefined {
  if (!slot) return 'RAUC does not know it';
  if (slot.status !== 'ok' || slot.version !== version) return `its status is "${slot.status}" and its version "${slot.version}"`;
  if (differ(slot.transactionId, operationId)) return 'another operation wrote it';
  if (differ(slot.manifestHash, manifestHash)) return `it holds another bundle of version ${version}`;
  return undefined;
}

/** Whether both are told, and are not the same: an older RAUC does not tell. */
const differ = (found: string | undefined, wanted: string): boolean => Boolean(found) && Boolean(wanted) && found !== wanted;
