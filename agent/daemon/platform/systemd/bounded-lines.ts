// SPDX-License-Identifier: Apache-2.0
import { StringDecoder } from 'node:string_decoder';

/** The lines of a stream without their ends. One that is longer than the limit, in characters, is passed over. */
export async function* boundedLines(stream: AsyncIterable<Buffer>, maxLength: number): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  let tooLong = false;
  for await (const chunk of stream) {
    const [first = '', ...others] = decoder.write(chunk).split('\n');
    rest = tooLong ? '' : rest + first;
    for (const next of others) {
      if (!tooLong && rest.length <= maxLength) yield rest;
      tooLong = false;
      rest = next;
    }
    tooLong ||= rest.length > maxLength;
  }
  if (rest !== '' && !tooLong) yield rest;
}
