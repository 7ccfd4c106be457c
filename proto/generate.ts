// SPDX-License-Identifier: Apache-2.0
// Turns the protos into what TypeScript imports: messages (protobufjs static code), services (typed definitions and
// clients for grpc-js) and descriptors (for server reflection). Run by `npm run generate`; its output is not committed.
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { descriptorsModule } from './descriptors-module.ts';
import { servicesModule } from './services-module.ts';

const run = promisify(execFile);
const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const bin = (name: string) => join(root, 'node_modules/.bin', name);
const out = join(root, 'agent/shared/gen');

/** Each root with the files below it that are entry points; gRPC's own protos come with the packages that implement them. */
const SOURCES = [
  {
    root: 'proto',
    files: [
      'lamadist/agent/v1/update.proto',
      'lamadist/agent/v1/health.proto',
      'lamadist/agent/v1/device.proto',
      'lamadist/agent/v1/status.proto',
      'lamadist/agent/v1/attestation.proto',
      'lamadist/agent/v1/disk_usage.proto',
      'lamadist/agent/v1/inventory.proto',
      'lamadist/agent/v1/security_posture.proto',
      'lamadist/agent/v1/unit.proto',
      'lamadist/agent/v1/log.proto',
      'lamadist/agent/v1/audit.proto',
      'lamadist/agent/v1/event.proto',
      'lamadist/agent/v1/access.proto',
      'lamadist/agent/v1/enrolment.proto',
      'google/rpc/status.proto',
      'google/rpc/error_details.proto',
    ],
  },
  { root: 'node_modules/grpc-health-check/proto', files: ['health/v1/health.proto'] },
  { root: 'node_modules/@grpc/reflection/build/proto', files: ['grpc/reflection/v1/reflection.proto'] },
];

const files = SOURCES.flatMap((source) => source.files.map((file) => join(root, source.root, file)));
const roots = SOURCES.map((source) => join(root, source.root));

async function messages(): Promise<void> {
  const paths = roots.flatMap((path) => ['-p', path]);
  const target = [
    '-t',
    'static-module',
    '-w',
    'esm',
    '--no-service',
    '--no-delimited',
    '--no-typeurl',
    '--no-verify',
    '--force-number',
    '--dependency',
    '../protobuf.ts',
  ];
  await run(bin('pbjs'), [...target, ...paths, '-d', '-o', join(out, 'messages.js'), ...files]);
}

/** A FileDescriptorSet's only field is repeated, so sets are joined by joining their bytes (protobuf encoding guide, "Last One Wins"). */
async function descriptors(): Promise<void> {
  const sets: Buffer[] = [];
  for (const source of SOURCES) {
    const args = ['build', join(root, source.root), '--as-file-descriptor-set', '-o', '-#format=binpb', '--exclude-source-info'];
    const only = source.files.flatMap((file) => ['--path', join(root, source.root, file)]);
    const { stdout } = await run(bin('buf'), [...args, ...only], { encoding: 'buffer', maxBuffer: 16 << 20 });
    sets.push(stdout);
  }
  await writeFile(join(out, 'descriptors.ts'), descriptorsModule(Buffer.concat(sets)));
}

await mkdir(out, { recursive: true });
await Promise.all([messages(), descriptors(), writeFile(join(out, 'services.ts'), servicesModule(roots, files))]);
