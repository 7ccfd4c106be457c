// SPDX-License-Identifier: Apache-2.0
// Bundles the daemon and the administrator's command into one file each: `npm run build`.
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { writeShare } from './build-share.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const out = join(root, 'dist');

/**
 * Modules that a dependency names and LamaDist never reaches, with why. Each is replaced by one that throws when it is
 * touched, so that a wrong guess is loud.
 */
const UNREACHED = {
  '@grpc/proto-loader': 'grpc-js reads protos for its channelz service, which is not served',
  '@opentelemetry/api': 'prom-client looks for a span to attach exemplars to, which are not used',
  'fast-xml-builder': 'dbus-next describes the objects that it exports with it, and the agent exports none',
  'fast-xml-parser': 'dbus-next reads introspection data with it for its proxy objects, which a rule forbids',
} as const;

const leaveOutUnreached: Plugin = {
  name: 'leave-out-unreached',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: new RegExp(`^(${Object.keys(UNREACHED).join('|')})$`) }, ({ path }) => ({ path, namespace: 'unreached' }));
    onLoad({ filter: /.*/, namespace: 'unreached' }, ({ path }) => ({ contents: unreached(path) }));
  },
};

/** It may be taken apart and constructed, as modules do when they are loaded, but a function of it throws when it is called. */
function unreached(name: string): string {
  const message = JSON.stringify(`"${name}" was left out of the bundle`);
  return `
    const stub = new Proxy(function () {}, {
      get: (_, key) => (typeof key === 'symbol' || key === '__esModule' ? undefined : stub),
      construct: () => stub,
      apply() { throw new Error(${message}); },
    });
    module.exports = stub;`;
}

/** What only loads when it is used, so that who uses no more of a module than its types and its data does not load it. */
const FREE_OF_EFFECTS = ['@grpc/grpc-js'];

const loadOnlyWhatIsUsed: Plugin = {
  name: 'load-only-what-is-used',
  setup({ onResolve, resolve }) {
    onResolve({ filter: new RegExp(`^(${FREE_OF_EFFECTS.join('|')})$`) }, async ({ path, pluginData, ...where }) => {
      if (pluginData === FREE_OF_EFFECTS) return undefined;
      return { ...(await resolve(path, { ...where, pluginData: FREE_OF_EFFECTS })), sideEffects: false };
    });
  },
};

const OPTIONS = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  minify: true,
  // A stack trace quotes the line that threw; one line of half a megabyte would fill the journal.
  lineLimit: 200,
  keepNames: true,
  legalComments: 'none',
  logLevel: 'warning',
  plugins: [leaveOutUnreached, loadOnlyWhatIsUsed],
} as const satisfies BuildOptions;

async function bundle(entry: string, name: string, banner: string, define: Record<string, string> = {}): Promise<void> {
  await build({ ...OPTIONS, entryPoints: [join(root, entry)], outfile: join(out, name), banner: { js: banner }, define });
}

/** A program that another one carries within it, as text. */
async function bundleText(entry: string): Promise<string> {
  const { outputFiles } = await build({ ...OPTIONS, entryPoints: [join(root, entry)], write: false });
  return outputFiles[0]!.text;
}

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
// Where the bundles are installed no package.json is near, and Node takes .js for CommonJS; here one is, and says otherwise.
await writeFile(join(out, 'package.json'), '{ "type": "commonjs" }\n');
const lamactlHas = { POLL_THREAD: JSON.stringify(await bundleText('agent/lamactl/fleet/poll/poll-thread.ts')) };
await Promise.all([
  bundle('agent/daemon/main.ts', 'lamadist-agent.js', '// SPDX-License-Identifier: Apache-2.0'),
  bundle('agent/lamactl/main.ts', 'lamactl.js', '#!/usr/bin/env node\n// SPDX-License-Identifier: Apache-2.0', lamactlHas),
]);
await writeShare(join(out, 'lamactl.js'), join(out, 'share'));
