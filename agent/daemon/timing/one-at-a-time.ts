// SPDX-License-Identifier: Apache-2.0

/**
 * Runs work in the order in which it came, each after the one before has ended. A caller that stops waiting leaves its work in
 * its place, and the next still waits for it; work that was not begun by then never is.
 */
export class OneAtATime {
  #last: Promise<unknown> = Promise.resolve();

  /** Rejects with what `cancelled` makes when the signal ends the waiting. */
  run<T>(work: () => Promise<T>, signal: AbortSignal, cancelled: () => Error): Promise<T> {
    const done = this.#last.then(() => {
      if (signal.aborted) throw cancelled();
      return work();
    });
    this.#last = done.catch(() => undefined);
    return unlessAborted(done, signal, cancelled);
  }
}

async function unlessAborted<T>(done: Promise<T>, signal: AbortSignal, cancelled: () => Error): Promise<T> {
  let abort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(cancelled());
  });
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  try {
    return await Promise.race([done, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
