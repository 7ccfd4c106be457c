// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../shared/failure.ts';
import type { Installer, InstallerEvent, Slot } from './installer.ts';
import type { SlotReference } from './state.ts';
import type { Emit } from './updater.ts';

/** What an install is to have left behind. */
export interface Written {
  readonly operationId: string;
  readonly targetSlot: SlotReference;
  readonly version: string;
}

/** Writing a slot on the slowest eMMC takes minutes; what takes this long never ends. */
const INSTALL_DEADLINE_MS = 2 * 60 * 60_000;

/**
 * Sees an install through to its end, which `begin` starts, or which goes on from before the agent was restarted. When the
 * end itself was missed, because the installer or the agent was away, the slot tells how it went.
 */
export async function followInstall(
  installer: Installer,
  written: Written,
  begin: (() => Promise<void>) | undefined,
  emit: Emit,
  signal: AbortSignal,
): Promise<void> {
  const watch = watchInstaller(installer, emit, AbortSignal.any([signal, AbortSignal.timeout(INSTALL_DEADLINE_MS)]));
  try {
    if (begin) await begin();
    else if (!(await installer.installing(signal)))
      return requireWritten(await installer.slots(signal), written, await installer.lastError(signal));
    const end = await watch.end;
    if (end.type === 'failed') throw new Failure(end.code, end.message);
    if (end.type === 'vanished') requireWritten(await installer.slots(signal), written);
  } finally {
    watch.stop();
  }
}

type End = Exclude<InstallerEvent, { type: 'progress' }>;

/** Listens from now on, so that an end that comes before anybody awaits it is not missed. */
function watchInstaller(installer: Installer, emit: Emit, signal: AbortSignal): { end: Promise<End>; stop: () => void } {
  let stop = (): void => {};
  const end = new Promise<End>((resolve, reject) => {
    const abort = (): void => reject(new Failure('DEADLINE_EXCEEDED', 'Cannot wait for the install any longer: RAUC reported no end'));
    signal.addEventListener('abort', abort, { once: true });
    const silence = installer.listen((event) => {
      if (event.type === 'progress') emit({ type: 'install-progress', percent: event.percent, message: event.message });
      else resolve(event);
    });
    stop = () => {
      silence();
      signal.removeEventListener('abort', abort);
    };
  });
  // When `begin` fails nobody awaits the end any more.
  end.catch(() => undefined);
  return { end, stop };
}

/** Fails unless the slot holds, whole, what this very operation was to write. */
export function requireWritten(slots: readonly Slot[], { operationId, targetSlot, version }: Written, lastError = ''): void {
  const slot = slots.find(({ name }) => name === targetSlot.name);
  const byThisOperation = slot?.transactionId === undefined || slot.transactionId === operationId;
  if (slot?.status === 'ok' && slot.version === version && byThisOperation) return;
  const found = slot ? `its status is "${slot.status}" and its version "${slot.version}"` : 'RAUC does not know it';
  const message = `Cannot use slot "${targetSlot.name}": ${lastError || found}`;
  throw new Failure(lastError ? 'INSTALL_FAILED' : 'INSTALL_INTERRUPTED', message);
}
