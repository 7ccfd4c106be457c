// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { build } from 'esbuild';
import { TestPki } from '../../qemu/pki/test-pki.ts';
import type { Handshakes } from './fleet/handshakes.ts';
import type { SimPart } from './fleet/sim-nodes.ts';

const HOST = '127.0.9.1';
/** Below the ports that the kernel gives to clients. */
const FIRST_PORT = 10_000;
const PROCESSES = 2;
const ROUNDS = 3;
const SETTLE_MS = 500;
const SIZES = (process.env.FLEET_SIZES ?? '1000,10000').split(',').map(Number);
/** One of a hundred nodes rolls every update back. */
const FAILING_EVERY = 100;

const LAMACTL = path.resolve(import.meta.dirname, '../../dist/lamactl.js');

interface Run {
  readonly ms: number;
  /** Of the program itself, on all cores. */
  readonly cpuMs: number;
  readonly peakBytes: number;
  readonly exitCode: number | null;
  readonly output: string;
  readonly fleetBytes: number;
}

/** A thousand and ten thousand simulated nodes under lamactl, and under bare TLS handshakes: the figures as text. */
export async function fleetBenchmark(): Promise<string> {
  const texts: string[] = [];
  for (const size of SIZES) texts.push(await withFleet(size, measureFleet));
  return `fleet: simulated nodes, each a port with mutual TLS 1.3; medians of ${ROUNDS} rounds\n${texts.join('')}`;
}

interface Fleet {
  readonly size: number;
  readonly folder: string;
  run(program: readonly string[], input?: string): Promise<Run>;
  readonly handshakes: Handshakes;
}

async function withFleet(size: number, use: (fleet: Fleet) => Promise<string>): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'lamadist-bench-fleet-'));
  const ports = Array.from({ length: size }, (_, index) => FIRST_PORT + index);
  const pki = await TestPki.create();
  const ca = pki.agentAuthority.certificate;
  const node = await pki.agentAuthority.issue({ commonName: 'fleet', purpose: 'server', dnsNames: ['*.nodes.fleet'], ipAddresses: [HOST] });
  const admin = await pki.client('admin');
  const players: ChildProcess[] = [];
  try {
    for (let part = 0; part < PROCESSES; part += 1) {
      const own = ports.filter((_, index) => index % PROCESSES === part);
      const failing = own.filter((port) => port % FAILING_EVERY === FAILING_EVERY - 1);
      const order: SimPart = { ca, certificate: node.certificate, key: node.key, host: HOST, ports: own, failing };
      const player = fork(path.join(import.meta.dirname, 'fleet/sim-nodes.ts'), { execArgv: ['--import', 'tsx'] });
      players.push(player);
      player.send(order);
      await once(player, 'message');
    }
    await writeFile(path.join(folder, 'ca.pem'), ca);
    await writeFile(path.join(folder, 'admin.pem'), admin.certificate);
    await writeFile(path.join(folder, 'admin.key'), admin.key, { mode: 0o600 });
    const entries = ports.map((port) => `      ${nameOf(port)}: { address: "${HOST}:${port}", name: ${nameOf(port)}.nodes.fleet }\n`);
    const files = '    ca: ca.pem\n    certificate: admin.pem\n    key: admin.key\n';
    await writeFile(path.join(folder, 'config.yaml'), `contexts:\n  bench:\n${files}    nodes:\n${entries.join('')}`);
    const env = { ...process.env, LAMACTL_CONFIG: path.join(folder, 'config.yaml') };
    const run = (program: readonly string[], input = '') => measure(program, input, env, players);
    const handshakes = { ca, certificate: admin.certificate, key: admin.key, host: HOST, ports, threads: 1 };
    return await use({ size, folder, run, handshakes });
  } finally {
    for (const player of players) player.disconnect();
    await rm(folder, { recursive: true, force: true });
  }
}

const nameOf = (port: number): string => `node-${String(port).padStart(5, '0')}`;

async function measureFleet({ size, folder, run, handshakes }: Fleet): Promise<string> {
  const program = path.join(folder, 'handshakes.cjs');
  await build({
    entryPoints: [path.join(import.meta.dirname, 'fleet/handshakes.ts')],
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'cjs',
  });
  const shake = (threads: number) => run([process.execPath, program], JSON.stringify({ ...handshakes, threads }));
  const lamactl = (...args: string[]) => run([process.execPath, LAMACTL, ...args]);
  const floors: Run[] = [];
  const floors2: Run[] = [];
  const statuses: Run[] = [];
  // Side by side, so that whatever else the machine does falls on all of them.
  for (let round = 0; round < ROUNDS; round += 1) {
    floors.push(await shake(1));
    statuses.push(await lamactl('status', '--all', '-o', 'json'));
    floors2.push(await shake(2));
  }
  require([...floors, ...floors2, ...statuses], 0, size);
  const rollout = ['--all', '--on-node', '--bundle', '/data/two.raucb', '--max-unavailable', '10%', '--tolerate', '2%', '-o', 'json'];
  const plan = await lamactl('rollout', 'plan', ...rollout);
  require([plan], 0, size);
  const whole = await lamactl('rollout', 'start', ...rollout);
  // Nodes that rolled back are told of, and did not stop it.
  require([whole], 9, size);
  const done = (whole.output.match(/"step":"done","wave"/g) ?? []).length;
  // The faster of the two is what has to be held: none may be made slower to look better.
  const floor = Math.min(median(floors, 'ms'), median(floors2, 'ms'));
  const row = (name: string, runs: readonly Run[]): string => {
    const ms = median(runs, 'ms');
    const peak = Math.max(...runs.map(({ peakBytes }) => peakBytes));
    const bytes = Math.max(...runs.map(({ fleetBytes }) => fleetBytes)) / size;
    return `  ${(ms / 1000).toFixed(2).padStart(8)} s  ${(ms / floor).toFixed(2).padStart(6)} ×  ${(median(runs, 'cpuMs') / 1000).toFixed(2).padStart(7)} s CPU  ${(peak / 1e6).toFixed(0).padStart(5)} MB  ${(bytes / 1024).toFixed(1).padStart(6)} KiB a node  ${name}\n`;
  };
  return [
    ` ${size} nodes\n`,
    row('floor: a bare TLS handshake with each, from one thread', floors),
    row('the same from two threads', floors2),
    row('lamactl status --all', statuses),
    row('lamactl rollout plan', [plan]),
    row(`lamactl rollout start, 1 % of the nodes failing (${done} done)`, [whole]),
  ].join('');
}

function require(runs: readonly Run[], exitCode: number, size: number): void {
  for (const run of runs) {
    if (run.exitCode !== exitCode) throw new Error(`A program ended with ${run.exitCode} over ${size} nodes: ${run.output.slice(-2000)}`);
  }
}

const median = (runs: readonly Run[], of: 'ms' | 'cpuMs'): number =>
  runs.map((run) => run[of]).sort((a, b) => a - b)[Math.floor(runs.length / 2)]!;

async function measure(program: readonly string[], input: string, env: NodeJS.ProcessEnv, players: readonly ChildProcess[]): Promise<Run> {
  await counted(players);
  const [file = '', ...args] = program;
  const startMs = performance.now();
  const child = spawn(file, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.end(input);
  let [peakBytes, cpuMs] = [0, 0];
  const polling = setInterval(() => {
    peakBytes = Math.max(peakBytes, peakOf(child.pid!));
    cpuMs = Math.max(cpuMs, cpuOf(child.pid!));
  }, 25);
  const chunks: Buffer[] = [];
  child.stdout.on('data', (data: Buffer) => chunks.push(data));
  child.stderr.on('data', (data: Buffer) => chunks.push(data));
  const [exitCode] = (await once(child, 'close')) as [number | null];
  clearInterval(polling);
  const ms = performance.now() - startMs;
  // The other end hears of the last connections a moment later.
  await sleep(SETTLE_MS);
  return { ms, cpuMs, peakBytes, exitCode, output: Buffer.concat(chunks).toString('utf8'), fleetBytes: await counted(players) };
}

/** The most that was ever resident, as the kernel counts it; 0 of a process that is gone. */
function peakOf(pid: number): number {
  try {
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/** User and system time of all its threads: proc_pid_stat(5), fields 14 and 15, in hundredths of a second. */
function cpuOf(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10;
  } catch {
    return 0;
  }
}

/** What went over the wire since it was asked last, both ways. */
async function counted(players: readonly ChildProcess[]): Promise<number> {
  let total = 0;
  for (const player of players) {
    player.send('count');
    const [{ bytes }] = (await once(player, 'message')) as [{ bytes: number }];
    total += bytes;
  }
  return total;
}
