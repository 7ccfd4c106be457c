// SPDX-License-Identifier: Apache-2.0
import { type ServerDuplexStream, status } from '@grpc/grpc-js';
import { FILES } from '../../../shared/gen/descriptors.ts';
import type { grpc } from '../../../shared/gen/messages.js';
import type { ServerReflectionHandlers } from '../../../shared/gen/services.ts';

type Request = grpc.reflection.v1.ServerReflectionRequest & grpc.reflection.v1.ServerReflectionRequest.$Shape;
type Response = grpc.reflection.v1.ServerReflectionResponse.$Properties;

/** grpc.reflection.v1 (gRPC server reflection protocol): a client that has no protos can learn them from the server. */
export function reflection(services: readonly string[]): ServerReflectionHandlers {
  function answer(request: Request): Response {
    switch (request.messageRequest) {
      case 'listServices':
        return { listServicesResponse: { service: services.map((name) => ({ name })) } };
      case 'fileByFilename':
        return withImports(request.fileByFilename ?? '');
      case 'fileContainingSymbol':
        return withImports(fileDeclaring(request.fileContainingSymbol ?? ''));
      default:
        return { errorResponse: { errorCode: status.UNIMPLEMENTED, errorMessage: 'Cannot answer: the agent has no proto2 extensions' } };
    }
  }
  return {
    serverReflectionInfo: (call: ServerDuplexStream<Request, Response>) => {
      call.on('data', (request: Request) => {
        // The next question waits until the client has taken the answer to this one.
        call.pause();
        call.write({ validHost: request.host, originalRequest: request, ...answer(request) }, () => call.resume());
      });
      call.on('end', () => call.end());
    },
  };
}

/** A map, for whoever asks may ask for any name. */
const BY_NAME = new Map(Object.entries(FILES));

const fileDeclaring = (symbol: string): string => [...BY_NAME].find(([, { symbols }]) => symbols.includes(symbol))?.[0] ?? '';

/** The file after everything that it imports, so that a client can read them in order. */
function withImports(wanted: string): Response {
  const ordered = new Set<string>();
  const visit = (name: string): void => {
    for (const imported of BY_NAME.get(name)?.imports ?? []) if (!ordered.has(imported)) visit(imported);
    ordered.add(name);
  };
  visit(wanted);
  const files = [...ordered].flatMap((name) => BY_NAME.get(name) ?? []);
  if (files.length === 0) {
    return { errorResponse: { errorCode: status.NOT_FOUND, errorMessage: 'Cannot describe it: the agent has no such file or symbol' } };
  }
  return { fileDescriptorResponse: { fileDescriptorProto: files.map(({ base64 }) => Buffer.from(base64, 'base64')) } };
}
