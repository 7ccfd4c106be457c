// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { commandLine } from '../../../../qemu/vm/image/uki.ts';
import { assignments, expand, layerVariables } from '../../../../qemu/vm/layers.ts';

describe("what the virtual machine takes from the layers' configuration", () => {
  it('reads plain assignments, and of overrides only those for x86-64', () => {
    const text = 'ONE = "1"\nTWO ?= "2 words"\nTYPE:x86-64 = "pc"\nTYPE:aarch64 = "arm"\nTHREE:append = " no"\n# FOUR = "4"\n';
    expect(assignments(text)).toEqual({ ONE: '1', TWO: '2 words', TYPE: 'pc' });
  });

  // biome-ignore-start lint/suspicious/noTemplateCurlyInString: BitBake's
  it('puts values in the place of names, whatever their depth, and refuses a name that nobody assigned', () => {
    expect(expand('a ${B}', { B: 'b ${C}', C: 'c' })).toBe('a b c');
    expect(() => expand('${NOBODY}', {})).toThrow('the layers do not say what it is');
  });
  // biome-ignore-end lint/suspicious/noTemplateCurlyInString: BitBake's

  it("makes a command line for each slot, with its root's encryption and an image's own words", async () => {
    const content = { slot: 'b', rootHash: 'abc', words: ['last=1'] } as const;
    const variables = await layerVariables();
    const line = commandLine(content, variables);
    expect(line).toMatch(/^root=\/dev\/mapper\/root roothash=abc systemd.verity_root_data=\/dev\/mapper\/root-b /);
    expect(line).toMatch(/ rauc.slot=B .*security=selinux.* console=ttyS0,115200 last=1$/);
    const inTheClear = commandLine(content, { ...variables, LAMADIST_ROOT_ENCRYPTION: 'off' });
    expect(inTheClear).toContain(' systemd.verity_root_data=PARTLABEL=root-b ');
  });
});
