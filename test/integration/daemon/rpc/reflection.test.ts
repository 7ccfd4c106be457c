// SPDX-License-Identifier: Apache-2.0
import { Metadata, status } from '@grpc/grpc-js';
import protobuf from 'protobufjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LEAST_ROLE } from '../../../../agent/daemon/access/roles.ts';
import type { grpc } from '../../../../agent/shared/gen/messages.js';
import { type AgentClient, ask, connect, soon } from '../../fakes/agent-client.ts';
import { type AgentServer, startAgentServer } from '../../fakes/agent-server.ts';

type Question = grpc.reflection.v1.ServerReflectionRequest.$Properties;
type Answer = grpc.reflection.v1.ServerReflectionResponse;

let server: AgentServer;
let reader: AgentClient;
beforeAll(async () => {
  server = await startAgentServer();
  reader = await connect(server, 'reader');
});
afterAll(async () => {
  reader.close();
  await server.stop();
});

/** Asks, one after another, in one stream that the client then ends. */
async function asking(...questions: Question[]): Promise<Answer[]> {
  const stream = reader.reflection.serverReflectionInfo(new Metadata(), soon());
  const answers: Answer[] = [];
  for (const question of questions) stream.write(question);
  stream.end();
  for await (const answer of stream) answers.push(answer);
  return answers;
}

const services = async () => {
  const [answer] = await asking({ listServices: '' });
  return answer?.listServicesResponse?.service?.map(({ name }) => name ?? '') ?? [];
};

/** Just enough of google/protobuf/descriptor.proto to read which files a file imports. */
const FileDescriptor = protobuf
  .parse('syntax = "proto3"; message FileDescriptor { string name = 1; repeated string dependency = 3; }', { keepCase: true })
  .root.lookupType('FileDescriptor');
const filesOf = (answer?: Answer) =>
  (answer?.fileDescriptorResponse?.fileDescriptorProto ?? []).map(
    (bytes) => FileDescriptor.toObject(FileDescriptor.decode(bytes), { arrays: true }) as { name: string; dependency: string[] },
  );

describe('reflection', () => {
  it('lists every service that has a role', async () => {
    const withRoles = new Set(Object.keys(LEAST_ROLE).map((path) => path.split('/')[1]));
    expect(new Set(await services())).toEqual(withRoles);
  });

  it('describes every service with all files that it needs, each before those that import it', async () => {
    const names = await services();
    const answers = await asking(...names.map((name) => ({ fileContainingSymbol: name })));
    for (const answer of answers) {
      const known = new Set<string>();
      const files = filesOf(answer);
      expect(files.length).toBeGreaterThan(0);
      for (const { name, dependency } of files) {
        expect(dependency.filter((imported) => !known.has(imported))).toEqual([]);
        known.add(name);
      }
    }
  });

  it.each([
    [{ fileByFilename: 'lamadist/agent/v1/health.proto' }, 'lamadist/agent/v1/health.proto'],
    [{ fileContainingSymbol: 'lamadist.agent.v1.Bundle' }, 'lamadist/agent/v1/update.proto'],
    [{ fileContainingSymbol: 'lamadist.agent.v1.UpdatePhase' }, 'lamadist/agent/v1/update.proto'],
    [{ fileContainingSymbol: 'lamadist.agent.v1.UpdateService.RollBack' }, 'lamadist/agent/v1/update.proto'],
  ])('answers %o', async (question, file) => {
    const [answer] = await asking({ host: 'attic', ...question });
    expect(filesOf(answer).at(-1)?.name).toBe(file);
    expect(answer).toMatchObject({ validHost: 'attic', originalRequest: question });
  });

  it.each(['', 'nowhere.proto', 'constructor', '__proto__', 'toString'])('knows no file and no symbol "%s"', async (name) => {
    const notFound = { errorResponse: { errorCode: status.NOT_FOUND } };
    expect(await asking({ fileByFilename: name }, { fileContainingSymbol: name })).toMatchObject([notFound, notFound]);
  });

  it.each([{}, { allExtensionNumbersOfType: 'x' }, { fileContainingExtension: { containingType: 'x', extensionNumber: 1 } }])(
    'says that it cannot answer %o',
    async (question) => {
      expect(await asking(question)).toMatchObject([{ errorResponse: { errorCode: status.UNIMPLEMENTED } }]);
    },
  );

  it('outlives a client that goes away in the middle', async () => {
    const stream = reader.reflection.serverReflectionInfo(new Metadata(), soon());
    stream.on('error', () => {});
    for (let index = 0; index < 100; index += 1) stream.write({ fileContainingSymbol: 'lamadist.agent.v1.UpdateService' });
    stream.cancel();
    expect(await ask(reader.device, 'getDevice', {})).toMatchObject({ device: { hostname: 'attic' } });
  });
});
