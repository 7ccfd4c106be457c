// SPDX-License-Identifier: Apache-2.0
import { StringDecoder } from 'node:string_decoder';
import { Failure } from '../../shared/failure.ts';

/** A node writes no line that is longer. */
const MAX_LINE_LENGTH = 1 << 20;

/** The lines of a text that comes in parts, which may end anywhere. Throws JOURNAL_UNREADABLE at a line that has no end. */
export async function* linesOf(parts: AsyncIterable<{ readonly data?: Uint8Array | null }>): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const { data } of parts) {
    const lines = (rest + decoder.write(Buffer.from(data ?? []))).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > MAX_LINE_LENGTH) throw new Failure('JOURNAL_UNREADABLE', 'Cannot read the audit log: it has a line without end');
    yield* lines;
  }
  if (rest !== '') yield rest;
}
