// SPDX-License-Identifier: Apache-2.0
import { createReadStream } from 'node:fs';
import { Failure } from '../../../shared/failure.ts';
import type { ClientBundle } from '../../delivery/client-offers.ts';
import type { Updater } from '../../update/updater.ts';
import type { Callers } from '../callers.ts';
import { type CallContext, serverStream } from '../handlers.ts';

export interface ReadBundleParts {
  readonly updater: Pick<Updater, 'state'>;
  readonly callers: Pick<Callers, 'of'>;
  /** The path of a file that was kept; undefined when it is not there. */
  readonly kept: (file: ClientBundle) => Promise<string | undefined>;
}

/** So many nodes read at once, each once: the disk and the line are the node's own work's first of all. */
const READERS = 4;
const PIECE_BYTES = 256 << 10;

/** Gives other nodes the bundle that this one committed to. */
export function readBundle({ updater, kept, callers }: ReadBundleParts) {
  const readers = new Set<string>();
  return serverStream(async function* (
    { sha256, offset, length }: { sha256: string; offset: number; length: number },
    { authContext }: Pick<CallContext, 'authContext'>,
  ) {
    const reader = callers.of(authContext).name;
    const { path, sizeBytes } = await keptFile(updater, kept, sha256);
    if (!(offset >= 0) || !(length > 0) || offset + length > sizeBytes)
      throw new Failure('INVALID_REQUEST', `Cannot read the bundle: it has no ${length} bytes at ${offset}`, { field: 'offset' });
    if (readers.has(reader)) throw new Failure('TOO_MANY_CALLS', `Cannot read the bundle: "${reader}" reads it already`);
    if (readers.size >= READERS) throw new Failure('TOO_MANY_CALLS', `Cannot read the bundle: ${readers.size} others do`);
    readers.add(reader);
    try {
      const pieces = createReadStream(path, { start: offset, end: offset + length - 1, highWaterMark: PIECE_BYTES });
      for await (const data of pieces as AsyncIterable<Buffer>) {
        // Another update has begun: the file is to go.
        if (updater.state.phase !== 'committed') throw gone();
        yield { data };
      }
    } finally {
      readers.delete(reader);
    }
  });
}

/** Nothing is given that this node does not run itself. Throws BUNDLE_NOT_FOUND. */
async function keptFile({ state }: ReadBundleParts['updater'], kept: ReadBundleParts['kept'], sha256: string) {
  const source = state.phase === 'committed' && state.operation.keepBundle ? state.operation.source : undefined;
  if (source?.type === 'client' && source.sha256 === sha256) {
    const path = await kept(source);
    if (path !== undefined) return { path, sizeBytes: source.sizeBytes };
  }
  throw gone();
}

const gone = () => new Failure('BUNDLE_NOT_FOUND', 'Cannot read the bundle: this node keeps no such file');
