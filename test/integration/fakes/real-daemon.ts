// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { withPrivateMounts } from '../../../qemu/host/private-mounts.ts';
import { TestPki } from '../../../qemu/pki/test-pki.ts';
import { FakeRauc } from './fake-rauc.ts';
import { freePort } from './free-port.ts';
import { PrivateBus } from './private-bus.ts';

const START_TIMEOUT_MS = 20_000;
const STOP_TIMEOUT_MS = 10_000;
const ROOT = join(import.meta.dirname, '../../..');
const UNIT = join(ROOT, 'recipes-agent/recipes-lamadist/lamadist-agent/files/systemd/lamadist-agent.service');

/** How the unit runs the agent, so that memory is what it is on a node. */
function asTheUnitRuns(): { readonly flags: readonly string[]; readonly env: Record<string, string> } {
  const unit = readFileSync(UNIT, 'utf8');
  const flags = /^ExecStart=\S+ (.*) \S+$/m.exec(unit)?.[1]?.split(' ') ?? [];
  const env = /^Environment=(.*)$/m.exec(unit)?.[1]?.split(' ') ?? [];
  return { flags, env: Object.fromEntries(env.map((pair) => pair.split('=', 2) as [string, string])) };
}

/**
 * The bundled daemon as a process of its own, with the flags of its unit, on a private bus with a RAUC that does nothing.
 * The kernel's command line names a slot by a mount that only this process sees, so it needs root.
 */
export async function startDaemon(config: Record<string, unknown> = {}, { unclaimed = false } = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'lamadist-daemon-'));
  const pki = await TestPki.create();
  const node = await pki.node('attic', '127.0.0.1');
  const tls = join(folder, 'tls');
  await Promise.all(['tls', 'state', 'run', 'health.d'].map((name) => mkdir(join(folder, name))));
  if (!unclaimed) {
    await writeFile(join(tls, 'ca.pem'), pki.agentAuthority.certificate);
    await writeFile(join(tls, 'node.pem'), node.certificate);
    await writeFile(join(tls, 'node.key'), node.key, { mode: 0o600 });
  }
  await writeFile(join(folder, 'cmdline'), 'rauc.slot=A\n');
  const [address, metricsAddress] = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`];
  const settings = {
    listen: address,
    tls: { folder: tls },
    metrics: { listen: metricsAddress },
    health: { folders: [join(folder, 'health.d')] },
    ...config,
  };
  await writeFile(join(folder, 'config.yaml'), stringify(settings));

  const bus = await PrivateBus.create();
  const rauc = await FakeRauc.start(bus.address);
  const { flags, env } = asTheUnitRuns();
  const own = {
    ...env,
    PATH: process.env.PATH,
    LAMADIST_AGENT_CONFIG: join(folder, 'config.yaml'),
    STATE_DIRECTORY: join(folder, 'state'),
    RUNTIME_DIRECTORY: join(folder, 'run'),
    DBUS_SYSTEM_BUS_ADDRESS: bus.address,
  };
  const script = 'mount --bind "$1" /proc/cmdline && shift && exec "$@"';
  const command = [process.execPath, ...flags, join(ROOT, 'dist/lamadist-agent.js')];
  const [program, ...args] = withPrivateMounts(['sh', '-c', script, 'sh', join(folder, 'cmdline'), ...command]);
  const spawned = () => spawn(program, args, { env: own, stdio: ['ignore', 'pipe', 'pipe'] });
  let daemon = spawned();
  const lines = await untilReady(daemon);

  async function switchOff(): Promise<void> {
    daemon.kill('SIGTERM');
    const forced = setTimeout(() => daemon.kill('SIGKILL'), STOP_TIMEOUT_MS);
    if (daemon.exitCode === null && daemon.signalCode === null) await once(daemon, 'exit');
    clearTimeout(forced);
  }

  return {
    address,
    metricsAddress,
    folder,
    pki,
    rauc,
    lines,
    pid: daemon.pid as number,
    running: () => daemon.exitCode === null && daemon.signalCode === null,
    auditLog: () => readFile(join(folder, 'state/audit.log'), 'utf8'),
    /** Resident memory as the kernel counts it: what it is, and the most that it ever was. */
    memory: () => residentMemory(daemon.pid as number),
    switchOff,
    /** Once more, with all that it wrote. */
    async switchOn() {
      daemon = spawned();
      await untilReady(daemon);
    },
    async stop() {
      await switchOff();
      await bus.dispose();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export type Daemon = Awaited<ReturnType<typeof startDaemon>>;

/** What it logs, from its start on; whatever keeps it from being ready is thrown with it. */
async function untilReady(daemon: ChildProcess): Promise<string[]> {
  const lines: string[] = [];
  await new Promise<void>((resolve, reject) => {
    const late = setTimeout(
      () => reject(new Error(`The daemon is not ready after ${START_TIMEOUT_MS} ms: ${lines.join('')}`)),
      START_TIMEOUT_MS,
    );
    const keep = (data: Buffer): void => {
      if (lines.push(data.toString()) > 1000) lines.shift();
      if (data.includes('The agent is ready')) {
        clearTimeout(late);
        resolve();
      }
    };
    daemon.stdout?.on('data', keep);
    daemon.stderr?.on('data', keep);
    daemon.once('exit', (code) => reject(new Error(`The daemon ended with ${code}: ${lines.join('')}`)));
  });
  return lines;
}

function residentMemory(pid: number): { readonly nowBytes: number; readonly peakBytes: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const bytes = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1024;
  return { nowBytes: bytes('VmRSS'), peakBytes: bytes('VmHWM') };
}
