// SPDX-License-Identifier: Apache-2.0
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { messageOf, type Rpc } from './grammar.ts';

/** One call below gRPC: any headers, any bytes in any pieces. */
export interface FuzzedCall {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly pieces: readonly Buffer[];
}

/** A gRPC frame (PROTOCOL-HTTP2, "Length-Prefixed-Message"). */
function frame(message: Uint8Array, { compressed = 0, length = message.length } = {}): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(compressed);
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, message]);
}

const GZIP_BOMB = frame(gzipSync(Buffer.alloc(4 << 20)), { compressed: 1 });

/** What may become of a message on its way: mostly nothing. */
function framed(message: Buffer): fc.Arbitrary<Buffer> {
  return fc.oneof(
    { weight: 8, arbitrary: fc.constant(frame(message)) },
    { weight: 2, arbitrary: damaged(message).map((bytes) => frame(bytes)) },
    fc.constantFrom(
      Buffer.alloc(0),
      frame(message).subarray(0, 4),
      frame(message, { length: message.length + 1 }),
      frame(message, { length: 0xffffffff }),
      frame(message, { length: Math.max(message.length - 1, 0) }),
      frame(message, { compressed: 1 }),
      frame(message, { compressed: 255 }),
      frame(gzipSync(message), { compressed: 1 }),
      GZIP_BOMB,
      frame(Buffer.alloc(70_000)),
      Buffer.concat([frame(message), frame(message)]),
      Buffer.concat([frame(message), Buffer.from('junk')]),
    ),
    fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes)),
  );
}

function damaged(message: Buffer): fc.Arbitrary<Buffer> {
  return fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }).map((changes) => {
    const bytes = Buffer.from(message);
    for (const [at, value] of changes) if (bytes.length > 0) bytes.writeUInt8(value, at % bytes.length);
    return bytes;
  });
}

const USUAL = { ':method': 'POST', ':scheme': 'https', 'content-type': 'application/grpc', te: 'trailers' };

/** The headers of a call: mostly right. */
const headers: fc.Arbitrary<Record<string, string>> = fc.oneof(
  { weight: 8, arbitrary: fc.constant(USUAL) },
  fc
    .record(
      {
        ':method': fc.constantFrom('GET', 'PUT', 'OPTIONS', 'HEAD'),
        'content-type': fc.constantFrom('application/grpc+json', 'application/json', 'text/html', 'application/grpc-web', ''),
        'grpc-timeout': fc.constantFrom('1n', '0m', '99999999H', '-1S', 'soon', '1S1S', '5m'),
        'grpc-encoding': fc.constantFrom('gzip', 'deflate', 'identity', 'br', 'nothing'),
        'grpc-accept-encoding': fc.constantFrom('gzip', ',', 'identity,,'),
        'x-some-bin': fc.constantFrom('AAAA', '!!!', '=', 'AA=='),
        'x-many': fc.string({ unit: fc.constantFrom(...'abc0123 -_'), maxLength: 3_000 }),
        'grpc-status': fc.constant('0'),
        authorization: fc.constant('Bearer x'),
      },
      { requiredKeys: [] },
    )
    .map((odd) => ({ ...USUAL, ...odd })),
);

/** Calls of all of these RPCs, and of some that there are not. */
export function fuzzedCall(rpcs: readonly Rpc[]): fc.Arbitrary<FuzzedCall> {
  return fc.oneof(...rpcs.map(callOf));
}

function callOf({ path, request }: Rpc): fc.Arbitrary<FuzzedCall> {
  const body = messageOf(request)
    .map((message) => Buffer.from(request.encode(request.fromObject(message)).finish()))
    .chain((message) => fc.array(framed(message), { minLength: 1, maxLength: 2, size: 'xsmall' }));
  const named = fc.oneof({ weight: 30, arbitrary: fc.constant(path) }, fc.constantFrom('/', `${path}x`, '/a/b', path.toLowerCase(), '//'));
  const pieces = fc.oneof({ weight: 9, arbitrary: body }, fc.constant([] as Buffer[]));
  return fc.record({ path: named, headers, pieces });
}

/** What comes after the preface of HTTP/2 (RFC 9113, section 3.4): frames with wrong types, flags, lengths and streams, or junk. */
export const rawConnection: fc.Arbitrary<Buffer> = fc
  .array(
    fc.oneof(
      fc
        .tuple(fc.nat(12), fc.nat(255), fc.nat(7), fc.uint8Array({ maxLength: 60 }), fc.constantFrom(0, 0, 0, 1, 20_000))
        .map(([type, flags, stream, payload, more]) => {
          const head = Buffer.alloc(9);
          head.writeUIntBE(payload.length + more, 0, 3);
          head.writeUInt8(type, 3);
          head.writeUInt8(flags, 4);
          head.writeUInt32BE(stream, 5);
          return Buffer.concat([head, payload]);
        }),
      fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
    ),
    { maxLength: 6 },
  )
  .chain((frames) => {
    const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    return fc.constantFrom(Buffer.concat([preface, Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]), ...frames]), Buffer.concat(frames));
  });
