// SPDX-License-Identifier: Apache-2.0
import { PassThrough } from 'node:stream';
import { expect, it, vi } from 'vitest';
import { guardStream } from '../../../../../agent/daemon/platform/dbus/stream-guard.ts';

it('refuses a read beyond the limit, and lets smaller ones through', () => {
  const stream = new PassThrough();
  const found: string[] = [];
  guardStream(stream, 8, (text) => found.push(text));
  stream.write('12345678abc');
  expect(stream.read(9)).toBeNull();
  expect(found).toEqual(['a message of 9 bytes arrived, the limit is 8']);
  expect(String(stream.read(8))).toBe('12345678');
  expect(String(stream.read())).toBe('abc');
});

it('turns an exception of the parser into a broken connection instead of a broken process', async () => {
  const stream = new PassThrough();
  const found: string[] = [];
  stream.on('readable', () => {
    stream.read();
    throw new RangeError('offset out of range');
  });
  guardStream(stream, 8, (text) => found.push(text));
  stream.write('x');
  await vi.waitFor(() => expect(found).toEqual(['a message could not be parsed: offset out of range']));
});
