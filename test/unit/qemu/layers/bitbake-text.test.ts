// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { assignments, expand, wordsOf } from '../../../../qemu/layers/bitbake-text.ts';

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: BitBake's
describe("what is understood of BitBake's language", () => {
  it('are plain assignments, and of overrides those for one kind of processor', () => {
    const text = 'ONE = "1"\nTWO ?= "2 words"\nTYPE:x86-64 = "pc"\nTYPE:aarch64 = "arm"\nTHREE:append = " no"\n# FOUR = "4"\n';
    expect(assignments(text)).toEqual({ ONE: '1', TWO: '2 words', TYPE: 'pc' });
    expect(assignments(text, 'aarch64')).toEqual({ ONE: '1', TWO: '2 words', TYPE: 'arm' });
  });

  it('are names in the place of values, whatever their depth, but none that nobody assigned', () => {
    expect(expand('a ${B}', { B: 'b ${C}', C: 'c' })).toBe('a b c');
    expect(() => expand('${NOBODY}', {})).toThrow('the layers do not say what it is');
  });

  it('are choices by the value of a variable', () => {
    const text = "one ${@'two three' if d.getVar('KIND') == 'on' else ''} four";
    expect(expand(text, { KIND: '${OTHER}', OTHER: 'on' })).toBe('one two three four');
    expect(expand(text, { KIND: 'off' })).toBe('one  four');
    expect(() => expand(text, {})).toThrow('Cannot expand "${KIND}"');
  });

  it('are lists over many lines, and what is added to them', () => {
    const text =
      'LIST:${PN} = " \\\n    one \\\n    two \\\n"\nLIST:${PN} += "${THREE}"\nLIST:${PN}:append:arm = " four"\nLIST:${PN}-doc = "five"\n';
    expect(wordsOf(text, 'LIST:${PN}', { THREE: 'three' })).toEqual(['one', 'two', 'three']);
    expect(wordsOf(text, 'LIST:${PN}:append:arm')).toEqual(['four']);
    expect(wordsOf(text, 'OTHER')).toEqual([]);
  });
});
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: BitBake's
