// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import protobuf from 'protobufjs';
import 'protobufjs/ext/descriptor.js';
import { FILES } from '../../../agent/shared/gen/descriptors.ts';

export interface Rpc {
  readonly path: string;
  readonly request: protobuf.Type;
}

/** The tag of FileDescriptorSet's one field (descriptor.proto), which is repeated. */
const FILE_TAG = (1 << 3) | 2;

/** What the agent itself tells of its protos through reflection: an RPC that is added is fuzzed from then on. */
function servedSchema(): protobuf.Root {
  const set = protobuf.Writer.create();
  for (const { base64 } of Object.values(FILES)) set.uint32(FILE_TAG).bytes(Buffer.from(base64, 'base64'));
  // Its types know nothing of what the extension adds.
  const reader = protobuf.Root as unknown as { fromDescriptor(set: Uint8Array): protobuf.Root };
  const served = reader.fromDescriptor(set.finish());
  served.resolveAll();
  return served;
}

export const RPCS: readonly Rpc[] = services(servedSchema()).flatMap((service) =>
  service.methodsArray.map((method) => ({
    path: `/${service.fullName.slice(1)}/${method.name}`,
    request: method.resolvedRequestType as protobuf.Type,
  })),
);

function services(space: protobuf.NamespaceBase): protobuf.Service[] {
  return space.nestedArray.flatMap((each) => {
    if (each instanceof protobuf.Service) return [each];
    return each instanceof protobuf.Namespace ? services(each) : [];
  });
}

const TEXTS = [
  '',
  '\0',
  '../../etc/shadow',
  '/var/tmp/v2.raucb',
  'file:///etc/passwd',
  'https://localhost:1/v2.raucb',
  'https://user:secret@localhost:1/',
  'rauc.service',
  '__proto__',
  'constructor',
  '\u202e\u0007\n%s$(x)',
  'ä'.repeat(5_000),
];
const text = fc.oneof(fc.constantFrom(...TEXTS), fc.string({ unit: 'binary', maxLength: 200 }), fc.uuid());
const whole = fc.oneof(fc.constantFrom(0, 1, -1, 2 ** 31 - 1, -(2 ** 31)), fc.integer());

const SCALARS: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  string: text,
  bool: fc.boolean(),
  bytes: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  double: fc.double(),
  float: fc.float(),
};

/** Any message of this type that its grammar allows, and some numbers that only its wire type allows. */
export function messageOf(type: protobuf.Type, depth = 0): fc.Arbitrary<Record<string, unknown>> {
  const fields = type.fieldsArray.filter((field) => depth < 4 || !(field.resolve().resolvedType instanceof protobuf.Type));
  return fc.record(Object.fromEntries(fields.map((field) => [field.name, fieldOf(field, depth)])), { requiredKeys: [] });
}

function fieldOf(field: protobuf.Field, depth: number): fc.Arbitrary<unknown> {
  const one = singleOf(field.resolve(), depth);
  if (field.map) return fc.dictionary(fc.string({ maxLength: 20 }), one, { maxKeys: 4 });
  return field.repeated ? fc.array(one, { maxLength: 5 }) : one;
}

function singleOf({ resolvedType, type }: protobuf.Field, depth: number): fc.Arbitrary<unknown> {
  if (resolvedType instanceof protobuf.Type) return messageOf(resolvedType, depth + 1);
  if (resolvedType instanceof protobuf.Enum) return fc.oneof(fc.constantFrom(...Object.values(resolvedType.values)), whole);
  return SCALARS[type] ?? whole;
}
