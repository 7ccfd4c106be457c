// SPDX-License-Identifier: Apache-2.0
import type { Duplex } from 'node:stream';

/**
 * Guards the stream under a connection of dbus-next, which reads a message with one `read(size)`, the size being the
 * sender's word, and parses it inside the stream's `readable` event, where an exception would end the process. A message
 * that is larger than `maxMessageBytes`, or that cannot be parsed, is told to `onBroken`; the stream is then of no more use.
 */
export function guardStream(stream: Duplex, maxMessageBytes: number, onBroken: (found: string) => void): void {
  const read = stream.read.bind(stream);
  stream.read = (size?: number) => {
    if (size === undefined || size <= maxMessageBytes) return read(size);
    onBroken(`a message of ${size} bytes arrived, the limit is ${maxMessageBytes}`);
    return null;
  };
  for (const listener of stream.listeners('readable')) {
    stream.off('readable', listener as () => void);
    stream.on('readable', () => {
      try {
        listener.call(stream);
      } catch (error) {
        onBroken(`a message could not be parsed: ${error instanceof Error ? error.message : String(error)}`);
      }
    });
  }
}
