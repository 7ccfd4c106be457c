// SPDX-License-Identifier: Apache-2.0

/**
 * Waits for work that may not heed the signal: rejects with the signal's reason as soon as it is aborted. The work itself goes
 * on unseen, so it must be harmless to leave it behind.
 */
export function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const abandon = () => reject(signal.reason);
    if (signal.aborted) abandon();
    signal.addEventListener('abort', abandon, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abandon));
  });
}
