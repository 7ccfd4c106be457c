// SPDX-License-Identifier: Apache-2.0
import { setMaxListeners } from 'node:events';

/**
 * Runs work under a signal of its own. It is aborted with the outer one, by the work itself when it has seen enough, and in any
 * case once the work is over: nothing that was started within goes on. (AbortSignal.any would hold on to a long-lived outer
 * signal's followers.)
 */
export async function abortScope<T>(outer: AbortSignal, work: (scope: AbortController) => Promise<T>): Promise<T> {
  const scope = new AbortController();
  // Its listeners are bounded by the work within, so Node's warning at the eleventh would be false.
  setMaxListeners(0, scope.signal);
  const follow = () => scope.abort(outer.reason);
  if (outer.aborted) follow();
  else outer.addEventListener('abort', follow, { once: true });
  try {
    return await work(scope);
  } finally {
    outer.removeEventListener('abort', follow);
    scope.abort(new Error('The work that this belonged to is over'));
  }
}
