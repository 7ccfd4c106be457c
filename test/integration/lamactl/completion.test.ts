// SPDX-License-Identifier: Apache-2.0
// The scripts in the shells that they are for, with the bundled lamactl.
import { chmod, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../../../qemu/host/command.ts';

const LAMACTL = join(import.meta.dirname, '../../../dist/lamactl.js');
const CONTEXTS = `contexts:
  home: { ca: ca.pem, certificate: a.pem, key: a.key, nodes: { attic: { address: 10.0.0.5 }, cellar: { address: 10.0.0.6 } } }
  away: { ca: ca.pem, certificate: a.pem, key: a.key, nodes: { loft: { address: 10.0.1.5 } } }
current-context: home
`;

let folder: string;
let env: Record<string, string>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lamadist-completion-'));
  await symlink(LAMACTL, join(folder, 'lamactl'));
  await chmod(LAMACTL, 0o755);
  await writeFile(join(folder, 'config.yaml'), CONTEXTS);
  await writeFile(join(folder, 'v2.raucb'), '');
  env = { PATH: `${folder}:${process.env.PATH}`, LAMACTL_CONFIG: join(folder, 'config.yaml'), HOME: folder };
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const inShell = (...argv: [string, ...string[]]) => run(argv, { timeoutMs: 30_000, env });

/** What each shell offers after these words, of which the last is being typed. */
const OFFERS = {
  async bash(words: readonly string[]) {
    const script = `source <(lamactl completion bash); COMP_WORDS=(lamactl "$@"); COMP_CWORD=$#; _lamactl; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return inShell('bash', '--norc', '-c', script, 'bash', ...words);
  },
  async zsh(words: readonly string[]) {
    // Outside of an editor zsh describes nothing; what would be described is printed.
    const script = `source <(lamactl completion zsh); _describe() { print -l -- "\${(@P)2}"; }; _files() { print -l -- *; }
      cd ${folder}; typed=("$@"); () { local -a words=(lamactl "$@"); local CURRENT=$#words; _lamactl; } "\${typed[@]}"`;
    return inShell('zsh', '-f', '-c', script, 'zsh', ...words);
  },
  async fish(words: readonly string[]) {
    const quoted = ['lamactl', ...words].map((word) => word.replaceAll(/([^\w.,/=-])/g, '\\$1')).join(' ');
    return inShell('fish', '--no-config', '-c', `cd ${folder}; lamactl completion fish | source; complete -C '${quoted}'`);
  },
};

/** Each line is a candidate, and in zsh and fish what it means. */
async function offered(shell: keyof typeof OFFERS, ...words: string[]): Promise<string[]> {
  const lines = (await OFFERS[shell](words)).split('\n').filter((line) => line !== '');
  return lines.map((line) => line.split(/[\t:]/, 1)[0] as string).sort();
}

describe.each(['bash', 'zsh', 'fish'] as const)('completion in %s', { timeout: 60_000 }, (shell) => {
  it('knows the names of nodes, and of those of another context', async () => {
    expect(await offered(shell, 'status', '-n', '')).toEqual(['attic', 'cellar']);
    expect(await offered(shell, '--context', 'away', 'status', '--node', '')).toEqual(['loft']);
  });

  it('adds to a list of nodes', async () => {
    expect(await offered(shell, 'status', '-n', 'attic,')).toEqual(['attic,cellar']);
  });

  it('knows commands, commands of commands, contexts, and the values of an option', async () => {
    expect(await offered(shell, 'rollb')).toEqual(['rollback']);
    expect(await offered(shell, 'audit', '')).toEqual(['verify']);
    expect(await offered(shell, '--context', '')).toEqual(['away', 'home']);
    expect(await offered(shell, 'install', '--reboot', 'm')).toEqual(['manual']);
  });

  it('knows the values of an option that is joined to them', async () => {
    // bash takes "--node=a" for three words, and keeps the first two by itself.
    const joined = (option: string, value: string) =>
      shell === 'bash' ? [option, '=', ...(value === '' ? [] : [value])] : [`${option}=${value}`];
    const whole = (option: string, value: string) => (shell === 'bash' ? value : `${option}=${value}`);
    expect(await offered(shell, 'status', ...joined('--node', ''))).toEqual(['attic', 'cellar'].map((name) => whole('--node', name)));
    expect(await offered(shell, 'status', ...joined('--node', 'attic,c'))).toEqual([whole('--node', 'attic,cellar')]);
    expect(await offered(shell, ...joined('--context', 'away'), 'status', ...joined('--node', 'l'))).toEqual([whole('--node', 'loft')]);
    expect(await offered(shell, 'logs', ...joined('--priority', 'warn'))).toEqual([whole('--priority', 'warning')]);
  });

  it('knows which logs there are, and offers no file among them', async () => {
    expect(await offered(shell, 'logs', '-p', 'e')).toEqual(['emerg', 'err']);
  });

  it('knows the options of a command, and those of every command', async () => {
    expect(await offered(shell, 'reboot', '--wa')).toEqual(['--wait']);
    expect(await offered(shell, 'install', '--no')).toEqual(expect.arrayContaining(['--no-wait', '--node']));
  });
});

describe('completion', () => {
  it.each(['zsh', 'fish'] as const)('offers files where one may stand, in %s', async (shell) => {
    expect(await offered(shell, 'install', 'v2')).toContain('v2.raucb');
  });

  it('offers nothing, and says nothing, without a context file', async () => {
    env = { ...env, LAMACTL_CONFIG: '/nowhere' };
    expect(await offered('bash', 'status', '-n', '')).toEqual([]);
  });
});
