// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import type { ClientDuplexStream } from '@grpc/grpc-js';
import type { lamadist } from '../../../shared/gen/messages.js';
import { UpdateServiceDefinition as update } from '../../../shared/gen/services.ts';
import type { BundleFile } from '../bundle-file.ts';
import type { Channel } from '../channel.ts';
import type { ServeCalls } from '../node.ts';

/** Small enough that several calls share a slow connection; the node takes four times as much. */
const PART_BYTES = 256 << 10;

type Range = lamadist.agent.v1.ServeBundleResponse.$Properties;
type ServeStream = ClientDuplexStream<lamadist.agent.v1.ServeBundleRequest.$Properties, Range>;

/** Gives a node the ranges of a bundle that it asks for. */
export function serveCalls(channel: Channel): ServeCalls {
  return {
    serveBundle: (operationId, file) =>
      channel.converse(update.serveBundle, async (stream: ServeStream) => {
        const over = new AbortController();
        stream.on('status', () => over.abort());
        stream.write({ operationId });
        for await (const wanted of stream) await giveRange(stream, file, wanted, over.signal);
      }),
  };
}

/** Writes the parts of a range, as far as the call lasts. */
async function giveRange(stream: ServeStream, file: BundleFile, wanted: Range, over: AbortSignal): Promise<void> {
  const start = wanted.offset ?? 0;
  const end = Math.min(start + (wanted.length ?? 0), file.info.sizeBytes);
  for (let offset = start; offset < end && !over.aborted; offset += PART_BYTES) {
    const data = await file.read(offset, Math.min(PART_BYTES, end - offset));
    // A call that ends never drains; how it ended is told to whoever reads the stream.
    if (!stream.write({ part: { offset, data } })) await once(stream, 'drain', { signal: over }).catch(() => undefined);
  }
}
