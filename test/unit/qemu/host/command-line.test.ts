// SPDX-License-Identifier: Apache-2.0
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';

const started = (program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
  execa('node', ['--import', 'tsx', program, ...args], { reject: false, env, timeout: 60_000 });

describe('what a person starts with npm run', { timeout: 120_000 }, () => {
  it.each([
    ['qemu/demo.ts', ['--vmm'], "Unknown option '--vmm'"],
    ['qemu/demo.ts', ['vm'], "Unexpected argument 'vm'"],
    ['qemu/node.ts', ['--vm'], "Unknown option '--vm'"],
    ['qemu/vm/run-vm.ts', ['--display'], "Option '--display <value>' argument missing"],
    ['qemu/vm/run-vm.ts', ['--display', 'sdl'], 'There is no display "sdl": --display takes spice or vnc'],
  ])('%s %j is refused with what is wrong, and what there is', async (program, args, wrong) => {
    const { exitCode, stdout, stderr } = await started(program, args);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toContain(wrong);
    expect(stderr).toContain('usage: npm run');
  });

  it.each(['qemu/demo.ts', 'qemu/node.ts', 'qemu/vm/run-vm.ts'])('%s --help says what it does', async (program) => {
    const { exitCode, stdout, stderr } = await started(program, ['--help']);
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: expect.stringMatching(/^usage: npm run/) });
    expect(stderr).toBe('');
  });

  it('an option that npm took for itself is not passed over', async () => {
    const { exitCode, stderr } = await started('qemu/demo.ts', [], { npm_config_vm: 'true' });
    expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringContaining('npm took "--vm" for itself') });
  });
});
