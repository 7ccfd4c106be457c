// SPDX-License-Identifier: Apache-2.0
import type { Clock } from './clock.ts';

/** So many bytes have to come in so much time that they are waited for. */
export interface Flow {
  readonly enoughBytes: number;
  readonly withinMs: number;
  /** Told what came instead. */
  readonly tooLittle: (bytes: number) => Error;
}

/** Fails when a source gives too little for the time that it is waited for. The time that the reader takes is the reader's. */
export async function* requireFlow(
  pieces: AsyncIterable<Buffer>,
  { enoughBytes, withinMs, tooLittle }: Flow,
  clock: Pick<Clock, 'monotonicMs'>,
): AsyncGenerator<Buffer> {
  let waitedMs = 0;
  let bytes = 0;
  let askedAtMs = clock.monotonicMs();
  for await (const piece of pieces) {
    waitedMs += clock.monotonicMs() - askedAtMs;
    bytes += piece.length;
    if (bytes >= enoughBytes) [waitedMs, bytes] = [0, 0];
    else if (waitedMs >= withinMs) throw tooLittle(bytes);
    yield piece;
    askedAtMs = clock.monotonicMs();
  }
}
