// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import protobuf from 'protobufjs';

/**
 * The text of a module with, for each service, a grpc-js service definition, the type of its handlers and a typed client,
 * on top of protobufjs' static messages (which know nothing of grpc-js).
 */
export function servicesModule(roots: readonly string[], files: readonly string[]): string {
  const schema = new protobuf.Root();
  schema.resolvePath = (_origin, target) =>
    files.includes(target) ? target : (roots.map((root) => join(root, target)).find((path) => existsSync(path)) ?? target);
  schema.loadSync([...files]).resolveAll();
  const services = servicesOf(schema);
  const packages = [...new Set(services.map((service) => nameOf(service).split('.')[0]))];
  return [
    "import { makeGenericClientConstructor, type Metadata } from '@grpc/grpc-js';",
    "import type * as g from '@grpc/grpc-js';",
    `import { ${packages.join(', ')} } from './messages.js';`,
    ...services.flatMap((service) => [...definition(service), ...handlers(service), ...client(service)]),
    '',
  ].join('\n');
}

function servicesOf(space: protobuf.NamespaceBase): protobuf.Service[] {
  return space.nestedArray.flatMap((child) => [
    ...(child instanceof protobuf.Service ? [child] : []),
    ...(child instanceof protobuf.Namespace ? servicesOf(child) : []),
  ]);
}

const nameOf = (object: protobuf.ReflectionObject): string => object.fullName.slice(1);
const camel = (name: string): string => name.charAt(0).toLowerCase() + name.slice(1);

interface Rpc {
  readonly key: string;
  readonly path: string;
  readonly request: string;
  readonly response: string;
  readonly streams: readonly [request: boolean, response: boolean];
}

const rpcs = (service: protobuf.Service): Rpc[] =>
  service.methodsArray.map((method) => ({
    key: camel(method.name),
    path: `/${nameOf(service)}/${method.name}`,
    request: nameOf(method.resolvedRequestType!),
    response: nameOf(method.resolvedResponseType!),
    streams: [method.requestStream === true, method.responseStream === true],
  }));

function definition(service: protobuf.Service): string[] {
  return [
    '',
    `export const ${service.name}Definition = {`,
    ...rpcs(service).flatMap(({ key, path, request, response, streams }) => [
      `  ${key}: {`,
      `    path: '${path}',`,
      `    requestStream: ${streams[0]},`,
      `    responseStream: ${streams[1]},`,
      `    requestSerialize: (value: ${request}.$Properties): Buffer => ${request}.encode(value).finish() as Buffer,`,
      `    requestDeserialize: (bytes: Buffer): ${request} & ${request}.$Shape => ${request}.decode(bytes),`,
      `    responseSerialize: (value: ${response}.$Properties): Buffer => ${response}.encode(value).finish() as Buffer,`,
      `    responseDeserialize: (bytes: Buffer): ${response} & ${response}.$Shape => ${response}.decode(bytes),`,
      '  },',
    ]),
    '} as const satisfies g.ServiceDefinition;',
  ];
}

const HANDLER = {
  'false,false': 'handleUnaryCall',
  'false,true': 'handleServerStreamingCall',
  'true,false': 'handleClientStreamingCall',
  'true,true': 'handleBidiStreamingCall',
};

function handlers(service: protobuf.Service): string[] {
  return [
    '',
    `export interface ${service.name}Handlers extends g.UntypedServiceImplementation {`,
    ...rpcs(service).map(
      ({ key, request, response, streams }) =>
        `  ${key}: g.${HANDLER[`${streams[0]},${streams[1]}`]}<${request} & ${request}.$Shape, ${response}.$Properties>;`,
    ),
    '}',
  ];
}

function client(service: protobuf.Service): string[] {
  return [
    '',
    `export interface ${service.name}Client extends g.Client {`,
    ...rpcs(service).map((rpc) => `  ${rpc.key}${clientSignature(rpc)};`),
    '}',
    `export const ${service.name}Client = /* @__PURE__ */ makeGenericClientConstructor(${service.name}Definition, '${nameOf(service)}') as unknown as {`,
    `  new (address: string, credentials: g.ChannelCredentials, options?: g.ClientOptions): ${service.name}Client;`,
    '};',
  ];
}

function clientSignature({ request, response, streams }: Rpc): string {
  const sent = `${request}.$Properties`;
  const received = `${response} & ${response}.$Shape`;
  const context = 'metadata: Metadata, options: g.CallOptions';
  if (streams[0] && streams[1]) return `(${context}): g.ClientDuplexStream<${sent}, ${received}>`;
  if (streams[0]) return `(${context}, callback: g.requestCallback<${received}>): g.ClientWritableStream<${sent}>`;
  if (streams[1]) return `(request: ${sent}, ${context}): g.ClientReadableStream<${received}>`;
  return `(request: ${sent}, ${context}, callback: g.requestCallback<${received}>): g.ClientUnaryCall`;
}
