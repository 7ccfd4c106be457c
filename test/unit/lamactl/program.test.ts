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

  it.each(COMMANDS)('says the choices of each option of "%s" once', async (command) => {
    const world = new FakeWorld({ attic: new FakeNode() }, certificates);
    await world.run(`${command} --help`);
    expect(world.stdout.text).not.toMatch(/\(choices:[^()]*\)\s*\(choices:/);
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
