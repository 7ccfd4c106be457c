// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../shared/failure.ts';
import type { Clock } from '../world.ts';
import type { BundleFile } from './bundle-file.ts';
import type { Connect, Target } from './node.ts';

export interface ServeOptions {
  readonly connect: Connect;
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** Ends the serving: the node has what it needs, or the administrator left. */
  readonly signal: AbortSignal;
}

const PAUSE_MS = 1_000;

/** Answers a node that asks for parts of a bundle, through broken connections, until the signal. It never throws: the update tells how it went. */
export async function serve(target: Target, operationId: string, file: BundleFile, options: ServeOptions): Promise<void> {
  const { connect, clock, timeoutMs, signal } = options;
  while (!signal.aborted) {
    const node = await connect(target, { timeoutMs, signal });
    try {
      await node.serveBundle(operationId, file);
    } catch (error) {
      // The operation ended, or is not known: nobody will ask for a part any more.
      if (Failure.from(error).code === 'UPDATE_NOT_FOUND') return;
    } finally {
      node.close();
    }
    await clock.sleep(PAUSE_MS, signal);
  }
}
