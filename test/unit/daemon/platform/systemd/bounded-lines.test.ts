// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { boundedLines } from '../../../../../agent/daemon/platform/systemd/bounded-lines.ts';

async function lines(maxLength: number, ...chunks: (string | Buffer)[]): Promise<string[]> {
  const found: string[] = [];
  async function* stream() {
    for (const chunk of chunks) yield Buffer.from(chunk);
  }
  for await (const line of boundedLines(stream(), maxLength)) found.push(line);
  return found;
}

describe('the lines of a stream', () => {
  it('are whole however the stream is cut', async () => {
    const bytes = Buffer.from('one\nzwölf\n\nlast');
    for (let size = 1; size <= bytes.length; size += 1) {
      const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) => bytes.subarray(n * size, (n + 1) * size));
      expect(await lines(10, ...chunks), `in parts of ${size}`).toEqual(['one', 'zwölf', '', 'last']);
    }
  });

  it('are passed over when they are too long, and nothing else is', async () => {
    const long = 'x'.repeat(11);
    expect(await lines(10, `a\n${long}\nb\n`)).toEqual(['a', 'b']);
    expect(await lines(10, 'a\nxxxxxx', 'xxxxxx', 'xxxxxx\nb\n', long)).toEqual(['a', 'b']);
    expect(await lines(10, long, '\n', 'xxxxxxxxxx', '\n')).toEqual(['xxxxxxxxxx']);
  });

  it('are none in an empty stream', async () => {
    expect(await lines(10)).toEqual([]);
  });
});
