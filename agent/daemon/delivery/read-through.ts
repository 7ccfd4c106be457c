// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../shared/failure.ts';
import type { Clock } from '../timing/clock.ts';
import { requireFlow } from '../timing/require-flow.ts';
import type { BundleReader, OpenBundle } from './bundle-reader.ts';

export interface Patience {
  readonly clock: Clock;
  /** 0 to 1. */
  readonly random: () => number;
  /** Told why the source is waited for, before each pause. */
  readonly onPause: (why: Failure, pauseMs: number) => void;
}

/** Attempts that came to little, one after another, after which the source is taken for gone. */
const ATTEMPTS = 6;
/** What an attempt must bring to count as one that worked, or a hundredth of the stretch: a source that drips is as good as gone. */
const ENOUGH_BYTES = 1 << 20;
/** So long an attempt may be waited for until it has brought that much again. */
const ENOUGH_WITHIN_MS = 10 * 60_000;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;

/** Opens a bundle whose source may be away for a while. */
export async function openPatiently(open: OpenBundle, patience: Patience, signal: AbortSignal): Promise<BundleReader> {
  for (let failed = 0; ; ) {
    try {
      return await open(signal);
    } catch (error) {
      failed += 1;
      await pauseOrThrow(error, failed, patience, signal);
    }
  }
}

/**
 * A stretch of a bundle, through broken connections: goes on where the last one broke, after pauses that grow and differ
 * from node to node. Fails when the source stays away, or holds something else than before.
 */
export async function* readThrough(
  first: BundleReader,
  open: OpenBundle,
  offset: number,
  length: number,
  patience: Patience,
  signal: AbortSignal,
): AsyncIterable<Buffer> {
  const end = offset + length;
  let reader = first;
  let position = offset;
  let failed = 0;
  const enoughBytes = Math.min(ENOUGH_BYTES, Math.ceil(length / 100));
  const flow = { enoughBytes, withinMs: ENOUGH_WITHIN_MS, tooLittle };
  while (position < end) {
    const began = position;
    try {
      for await (const piece of requireFlow(reader.read(position, end - position, signal), flow, patience.clock)) {
        if (piece.length > end - position)
          throw new Failure('DOWNLOAD_REFUSED', 'Cannot fetch the bundle: its source gave more than was asked for');
        position += piece.length;
        yield piece;
      }
      if (position < end) throw new Failure('DOWNLOAD_FAILED', `Cannot fetch the bundle: its source ended at byte ${position} of ${end}`);
    } catch (error) {
      failed = position - began >= enoughBytes ? 1 : failed + 1;
      await pauseOrThrow(error, failed, patience, signal);
      reader = await openPatiently(open, patience, signal);
      requireSame(first, reader);
    }
  }
}

function tooLittle(bytes: number): Failure {
  return new Failure('DOWNLOAD_FAILED', `Cannot fetch the bundle: its source gave ${bytes} bytes in ${ENOUGH_WITHIN_MS / 60_000} minutes`);
}

function requireSame(first: BundleReader, later: BundleReader): void {
  if (later.sizeBytes === first.sizeBytes && later.validator === first.validator) return;
  throw new Failure('BUNDLE_CHANGED', 'Cannot go on fetching the bundle: its source holds another one by now');
}

/** Waits before another attempt, where one makes sense. */
async function pauseOrThrow(error: unknown, failed: number, patience: Patience, signal: AbortSignal): Promise<void> {
  const { clock, random, onPause } = patience;
  signal.throwIfAborted();
  if (!(error instanceof Failure) || error.code !== 'DOWNLOAD_FAILED' || failed >= ATTEMPTS) throw error;
  // Full jitter: nodes that lost a server together do not come back together.
  const pauseMs = random() * Math.min(FIRST_PAUSE_MS * 2 ** failed, LONGEST_PAUSE_MS);
  onPause(error, pauseMs);
  await clock.sleep(pauseMs, signal);
}
