// SPDX-License-Identifier: Apache-2.0
import { afterAll, describe, expect, it } from 'vitest';
import { EXIT_CODES } from '../../../agent/lamactl/exit-code.ts';
import { FakeNode } from './fake-node.ts';
import { FakeWorld, worldCertificates } from './fake-world.ts';

const certificates = worldCertificates();
afterAll(() => certificates.remove());

const COMMANDS = [
  'status',
  'install',
  'watch',
  'reboot',
  'rollback',
  'history',
  'health',
  'inspect',
  'inventory',
  'logs',
  'events',
  'units',
  'updates',
  'rollout',
  'posture',
  'du',
  'attest',
  'audit',
  'completion',
  'man',
  'version',
];

describe('lamactl', () => {
  it.each(COMMANDS)('explains "%s" with a description, examples and its exit codes', async (command) => {
    const world = new FakeWorld({ attic: new FakeNode() }, certificates);
    expect(await world.run(`${command} --help`)).toBe(0);
    for (const part of [`Usage: lamactl ${command}`, 'Examples:', 'Exit codes:', '--output', '--node', `  $ lamactl ${command}`]) {
      expect(world.stdout.text).toContain(part);
    }
  });

  it.each(COMMANDS)('says the choices of each option of "%s" once, and no default that is nothing', async (command) => {
    const world = new FakeWorld({ attic: new FakeNode() }, certificates);
    await world.run(`${command} --help`);
    expect(world.stdout.text).not.toMatch(/\(choices:[^()]*\)\s*\(choices:/);
    expect(world.stdout.text).not.toMatch(/\(default:\s+(?:\[\]|"")\)|preset:/);
  });

  it('lists every exit code and shows a context file in its help', async () => {
    const world = new FakeWorld({ attic: new FakeNode() }, certificates);
    expect(await world.run('--help')).toBe(0);
    for (const name of Object.keys(EXIT_CODES)) expect(world.stdout.text).toContain(` ${name} `);
    expect(world.stdout.text).toContain('current-context: home');
  });

  it.each([
    'stauts',
    'status --frobnicate',
    'status attic',
    'status -o xml',
    'status --timeout 10',
    'status -n attic --all',
    'status -n loft',
  ])('ends with 2 on "%s"', async (line) => {
    const world = new FakeWorld({ attic: new FakeNode() }, certificates);
    expect(await world.run(line)).toBe(2);
    expect(world.stderr.text).toMatch(/^lamactl: /);
    expect(world.stdout.text).toBe('');
  });

  it.each([
    ['stauts', 'Did you mean status?', 'Try "lamactl --help".'],
    ['status attic', 'too many arguments', 'Nodes are named with --node.', 'Try "lamactl status --help".'],
    ['units restart', "missing required argument 'unit'", 'Try "lamactl units restart --help".'],
    ['attest run --watch 1', 'Say a duration such as 10s, 30m or 2h', 'Try "lamactl attest run --help".'],
    ['status --timeout 597h', 'no more than 596h', 'Try "lamactl --help".'],
    ['install ./nope.raucb', 'it does not exist; one that lies on the node goes with --on-node', 'BUNDLE_NOT_FOUND'],
    ['install --header token https://a/b', 'Cannot use --header: one is not written "Name: value"'],
    ['install --client-key k https://a/b', 'Cannot use --client-certificate or --client-key: one of them is missing'],
    ['install http://a/b', 'neither an absolute path on the node nor an https: URL'],
    ['install --on-node v2.raucb', 'neither an absolute path on the node nor an https: URL'],
    ['status --context work', 'Cannot use context "work"', 'holds "home"'],
    ['status -n loft', 'Cannot select node "loft": context "home" holds attic'],
    ['audit verify --file /nope', 'Cannot read /nope: it does not exist', 'CONFIG_INVALID'],
    ['audit verify --file /dev/null', 'Cannot read /dev/null: it is not a file', 'CONFIG_INVALID'],
  ])('says of "%s" what it could not do, what it found, and what to do next', async (line, ...parts) => {
    const world = new FakeWorld({ attic: new FakeNode() }, certificates);
    expect(await world.run(line)).not.toBe(0);
    for (const part of parts) expect(world.stderr.text).toContain(part);
    expect(world.stderr.text).toMatch(/^lamactl: /);
    expect(world.stdout.text).toBe('');
  });

  it('ends with 2 and its help without a command', async () => {
    const world = new FakeWorld({ attic: new FakeNode() }, certificates);
    expect(await world.run('--all')).toBe(2);
  });

  it('ends with 3 when there is no context file', async () => {
    const world = new FakeWorld({ attic: new FakeNode() }, certificates);
    world.env.LAMACTL_CONFIG = '/nonexistent/config.yaml';
    expect(await world.run('status')).toBe(3);
    expect(world.stderr.text).toContain('Cannot read the context file /nonexistent/config.yaml: it does not exist');
  });

  it('takes the shared options before and after the command', async () => {
    const world = new FakeWorld({ attic: new FakeNode(), cellar: new FakeNode() }, certificates);
    expect(await world.run('-n attic,cellar version -o json -n attic')).toBe(0);
    expect(world.json<{ nodes: { node: string }[] }>().nodes.map(({ node }) => node)).toEqual(['attic', 'cellar']);
  });

  it('passes --timeout to every connection', async () => {
    const attic = new FakeNode();
    const timeouts: number[] = [];
    const connect = attic.connect.bind(attic);
    attic.connect = (target, options) => {
      timeouts.push(options.timeoutMs);
      return connect(target, options);
    };
    const world = new FakeWorld({ attic }, certificates);
    await world.run('status --timeout 3s');
    await world.run('status');
    expect(timeouts).toEqual([3_000, 10_000]);
  });
});
