// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { NameOwners, ownerChangeIn } from '../../../../../agent/daemon/platform/dbus/name-owners.ts';

const change = {
  sender: 'org.freedesktop.DBus',
  path: '/org/freedesktop/DBus',
  interface: 'org.freedesktop.DBus',
  member: 'NameOwnerChanged',
};

describe('the owners of followed names', () => {
  it('are told to the listeners of that name, and only news', () => {
    const owners = new NameOwners();
    const listener = () => {};
    owners.follow('org.x');
    owners.listen('org.x', listener);
    expect(owners.learn('org.y', ':1.1')).toEqual([]);
    expect(owners.learn('org.x', undefined)).toEqual([listener]);
    expect(owners.learn('org.x', undefined)).toEqual([]);
    expect(owners.learn('org.x', ':1.1')).toEqual([listener]);
    owners.forgetAll();
    expect(owners.owns(':1.1', 'org.x')).toBe(false);
    expect(owners.learn('org.x', ':1.1')).toEqual([listener]);
    expect([owners.unlisten(listener), owners.unlisten(listener)]).toEqual([true, false]);
    expect(owners.learn('org.x', ':1.2')).toEqual([]);
  });

  it('are followed until the last follower leaves', () => {
    const owners = new NameOwners();
    expect([owners.follow('org.x'), owners.follow('org.x')]).toEqual([true, false]);
    expect([owners.unfollow('org.x'), owners.followed(), owners.unfollow('org.x'), owners.followed()]).toEqual([
      false,
      ['org.x'],
      true,
      [],
    ]);
  });

  it('need not be learnt for unique names and the bus itself', () => {
    const owners = new NameOwners();
    expect(owners.owns(':1.9', ':1.9')).toBe(true);
    expect(owners.owns(':1.9', ':1.8')).toBe(false);
    expect(owners.owns('org.freedesktop.DBus', 'org.freedesktop.DBus')).toBe(true);
  });
});

describe('a change of owner', () => {
  it('is believed from the bus alone', () => {
    expect(ownerChangeIn({ ...change, body: ['org.x', '', ':1.4'] })).toEqual({ name: 'org.x', owner: ':1.4' });
    expect(ownerChangeIn({ ...change, body: ['org.x', ':1.4', ''] })).toEqual({ name: 'org.x', owner: undefined });
    expect(ownerChangeIn({ ...change, sender: ':1.66', body: ['org.x', '', ':1.66'] })).toBeUndefined();
    expect(ownerChangeIn({ ...change, member: 'NameLost', body: ['org.x'] })).toBeUndefined();
  });
});
