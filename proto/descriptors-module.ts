// SPDX-License-Identifier: Apache-2.0
import { createRequire } from 'node:module';
import protobuf from 'protobufjs';

interface FileDescriptor {
  readonly name: string;
  readonly package: string;
  readonly dependency: readonly string[];
  readonly messageType: readonly MessageDescriptor[];
  readonly enumType: readonly { readonly name: string }[];
  readonly service: readonly { readonly name: string; readonly method: readonly { readonly name: string }[] }[];
}
interface MessageDescriptor {
  readonly name: string;
  readonly nestedType: readonly MessageDescriptor[];
  readonly enumType: readonly { readonly name: string }[];
}

/**
 * The text of a module with every file descriptor, what it imports and the symbols that it declares: all that server
 * reflection asks for, found now, so that the agent need not carry a parser of descriptors.
 */
export function descriptorsModule(fileDescriptorSet: Uint8Array): string {
  const schema = protobuf.loadSync(createRequire(import.meta.url).resolve('protobufjs/google/protobuf/descriptor.proto'));
  const type = schema.lookupType('google.protobuf.FileDescriptorProto');
  const entries = rawFiles(fileDescriptorSet).map((bytes) => {
    const file = type.toObject(type.decode(bytes), { arrays: true, defaults: true }) as unknown as FileDescriptor;
    const { name, dependency: imports } = file;
    return [name, { imports, symbols: symbolsOf(file), base64: Buffer.from(bytes).toString('base64') }];
  });
  return [
    'export const FILES: { readonly [name: string]: { readonly imports: readonly string[]; readonly symbols: readonly string[]; readonly base64: string } } =',
    `${JSON.stringify(Object.fromEntries(entries), null, 1)};\n`,
  ].join('\n');
}

/** The bytes of each file as they are in the set, whose one field (1) is repeated. */
function rawFiles(fileDescriptorSet: Uint8Array): Uint8Array[] {
  const reader = protobuf.Reader.create(fileDescriptorSet);
  const files: Uint8Array[] = [];
  while (reader.pos < reader.len) {
    const { fieldNumber, wireType } = splitTag(reader.uint32());
    if (fieldNumber === 1) files.push(reader.bytes());
    else reader.skipType(wireType);
  }
  return files;
}

const splitTag = (tag: number) => ({ fieldNumber: tag >>> 3, wireType: tag & 7 });

/** The full names that a file declares: services and their methods, messages and enums, nested ones too. */
function symbolsOf(file: FileDescriptor): string[] {
  const messages = (scope: string, types: readonly MessageDescriptor[]): string[] =>
    types.flatMap((type) => {
      const name = `${scope}.${type.name}`;
      return [name, ...messages(name, type.nestedType), ...type.enumType.map((each) => `${name}.${each.name}`)];
    });
  return [
    ...messages(file.package, file.messageType),
    ...file.enumType.map((type) => `${file.package}.${type.name}`),
    ...file.service.flatMap(({ name, method }) => [
      `${file.package}.${name}`,
      ...method.map((each) => `${file.package}.${name}.${each.name}`),
    ]),
  ];
}
