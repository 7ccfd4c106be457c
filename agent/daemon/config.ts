// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import * as v from 'valibot';
import { parseConfig } from '../shared/config-file.ts';
import { parseDuration } from '../shared/duration.ts';
import { Failure } from '../shared/failure.ts';
import { parseSize } from '../shared/size.ts';
import { DEFAULT_PORT } from '../shared/tls.ts';

const duration = v.pipe(
  v.string(),
  v.transform(parseDuration),
  v.number('must be a duration such as "10s" or "5m"'),
  v.minValue(1000, 'must be at least "1s"'),
);
const size = v.pipe(v.string(), v.transform(parseSize), v.number('must be a size such as "64MiB" or "4GiB"'));
const path = v.pipe(v.string(), v.startsWith('/', 'must be an absolute path'));
const HOST_AND_PORT = /^(?:\[[0-9A-Fa-f:]+\]|[\w.-]+):[1-9]\d{0,4}$/;
const hostAndPort = v.pipe(
  v.string(),
  v.check(
    (text) => HOST_AND_PORT.test(text) && URL.canParse(`https://${text}`),
    'must be an address such as "0.0.0.0:7443" or "[::]:7443"',
  ),
);
const SERVICE = /^[\w:.\\@-]{1,247}\.service$/;
const isProxy = (text: string): boolean => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
const LOOPBACK = /^(?:127\.\d+\.\d+\.\d+|\[::1\]|localhost):/;

/** The administrator's checks; many have none. */
export const OWN_CHECKS = '/etc/lamadist-agent/health.d';

/** Leaves the agent time to commit before lamadist-commit-deadline.timer. */
const MAX_GATE_MS = 600_000;

const ConfigSchema = v.strictObject({
  /** Where the gRPC server listens, with mutual TLS. */
  listen: v.optional(hostAndPort, `[::]:${DEFAULT_PORT}`),
  /** Holds ca.pem, node.pem, node.key and, where there is one, crl.pem. */
  tls: v.optional(v.strictObject({ folder: v.optional(path, '/etc/lamadist-agent/tls') }), {}),
  metrics: v.optional(
    v.pipe(
      v.strictObject({
        listen: v.optional(hostAndPort, '127.0.0.1:9477'),
        /** Whether clients must show a certificate of a role; without it the metrics go over plain HTTP, so on loopback only. */
        tls: v.optional(v.boolean(), false),
      }),
      v.forward(
        v.check(
          ({ listen, tls }) => tls || LOOPBACK.test(listen),
          'must be a loopback address, or "metrics.tls" true: the metrics are served without TLS',
        ),
        ['listen'],
      ),
    ),
    {},
  ),
  health: v.optional(
    v.strictObject({
      /** Where check files are read; a later folder overrides an earlier one. */
      folders: v.optional(v.pipe(v.array(path), v.minLength(1, 'must name a folder')), ['/usr/lib/lamadist-agent/health.d', OWN_CHECKS]),
      /** Within which all required checks must have passed. Keep it below the commit deadline of the trial boot. */
      'gate-deadline': v.optional(
        v.pipe(duration, v.maxValue(MAX_GATE_MS, 'must be at most "10m": the commit deadline of a trial is 15 minutes')),
        '5m',
      ),
      /** The pause between two runs of the checks once the gate is decided. */
      period: v.optional(duration, '60s'),
    }),
    {},
  ),
  download: v.optional(
    v.strictObject({
      /** The largest bundle that is fetched to the node's own disk. */
      'maximum-size': v.optional(size, '4GiB'),
      /** PEM certificates of the authorities that vouch for servers of bundles, instead of the public ones. */
      'ca-file': v.optional(path),
      /** The HTTP proxy through which servers of bundles are reached, such as http://proxy.lan:3128. */
      proxy: v.optional(v.pipe(v.string(), v.check(isProxy, 'must be a URL such as "http://proxy.lan:3128"'))),
      /** Hosts, and domains with all that is in them, that are reached without it. */
      'no-proxy': v.optional(v.array(v.string()), []),
    }),
    {},
  ),
  updates: v.optional(
    v.strictObject({
      /** How long a window, or a certificate that is not valid yet, waits for the clock to be synchronised. */
      'clock-patience': v.optional(duration, '10m'),
    }),
    {},
  ),
  units: v.optional(
    v.strictObject({
      /** The services that an operator may restart through the agent. */
      restart: v.optional(v.array(v.pipe(v.string(), v.regex(SERVICE, 'must be the whole name of a service, such as "k3s.service"'))), []),
    }),
    {},
  ),
  log: v.optional(v.strictObject({ level: v.optional(v.picklist(['debug', 'info', 'warn', 'error']), 'info') }), {}),
});

export type Config = v.InferOutput<typeof ConfigSchema>;

/** Reads the configuration; a file that is not there means the defaults. Throws CONFIG_INVALID with file, line and field. */
export async function readConfig(file: string): Promise<Config> {
  return parseConfig(ConfigSchema, await readText(file), file);
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw new Failure('CONFIG_INVALID', `Cannot read ${file}: ${(error as Error).message}`, {}, { cause: error });
  }
}
