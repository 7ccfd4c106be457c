// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { MatchRules, matches, ruleOf } from '../../../../../agent/daemon/platform/dbus/match-rules.ts';
import type { Signal } from '../../../../../agent/daemon/platform/dbus/message-types.ts';

const signal: Signal = { sender: ':1.7', path: '/a', interface: 'org.x', member: 'Y', body: ['first', 2] };

describe('the text of a match rule', () => {
  it('names only what was asked for', () => {
    expect(ruleOf({ sender: 'org.x', interface: 'org.x.I' })).toBe("type='signal',sender='org.x',interface='org.x.I'");
    expect(ruleOf({ sender: 'org.x', interface: 'org.x.I', path: '/', member: 'M', arg0: 'z' })).toBe(
      "type='signal',sender='org.x',interface='org.x.I',path='/',member='M',arg0='z'",
    );
  });

  it('keeps an apostrophe inside its value', () => {
    expect(ruleOf({ sender: 'org.x', interface: 'i', arg0: "a',member='b" })).toBe(
      "type='signal',sender='org.x',interface='i',arg0='a'\\'',member='\\''b'",
    );
  });
});

describe('a match', () => {
  it.each([
    ['the interface alone', { sender: 'org.x', interface: 'org.x' }, true],
    ['all of it', { sender: 'org.x', interface: 'org.x', path: '/a', member: 'Y', arg0: 'first' }, true],
    ['another interface', { sender: 'org.x', interface: 'org.z' }, false],
    ['another path', { sender: 'org.x', interface: 'org.x', path: '/b' }, false],
    ['another member', { sender: 'org.x', interface: 'org.x', member: 'Z' }, false],
    ['another first argument', { sender: 'org.x', interface: 'org.x', arg0: 'second' }, false],
  ])('of %s', (_, match, expected) => {
    expect(matches(match, signal)).toBe(expected);
  });
});

describe('counted rules', () => {
  it('are added with their first user and removed with their last', () => {
    const rules = new MatchRules();
    expect([rules.add('r'), rules.add('r'), rules.add('s')]).toEqual([true, false, true]);
    expect(rules.all()).toEqual(['r', 's']);
    expect([rules.remove('r'), rules.remove('r'), rules.remove('r')]).toEqual([false, true, false]);
    expect(rules.all()).toEqual(['s']);
  });
});
