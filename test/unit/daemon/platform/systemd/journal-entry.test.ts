// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { journalEntry } from '../../../../../agent/daemon/platform/systemd/journal-entry.ts';

const FIELDS = { __CURSOR: 's=a;i=1', __REALTIME_TIMESTAMP: '1700000000123456', _BOOT_ID: 'b', MESSAGE: 'hello' };
const entry = (fields: object) => journalEntry(JSON.stringify({ ...FIELDS, ...fields }));

describe('an entry of the journal', () => {
  it('is read with its time to the millisecond', () => {
    expect(entry({ PRIORITY: '3', _SYSTEMD_UNIT: 'k3s.service', SYSLOG_IDENTIFIER: 'k3s', _PID: '42' })).toEqual({
      cursor: 's=a;i=1',
      at: new Date(1_700_000_000_123),
      priority: 3,
      unit: 'k3s.service',
      identifier: 'k3s',
      pid: 42,
      bootId: 'b',
      message: 'hello',
      messageLeftOut: false,
    });
  });

  it("is of the unit that it is about, and without an identifier of its writer's program", () => {
    expect(entry({ UNIT: 'k3s.service', _SYSTEMD_UNIT: 'init.scope', _COMM: 'systemd' })).toMatchObject({
      unit: 'k3s.service',
      identifier: 'systemd',
      priority: undefined,
      pid: 0,
    });
  });

  it.each([
    ['bytes that are no text', [104, 255, 105], 'h\uFFFDi'],
    ['several messages', ['one', [116, 119, 111]], 'one\ntwo'],
  ])('may have %s', (_name, MESSAGE, message) => {
    expect(entry({ MESSAGE })).toMatchObject({ message, messageLeftOut: false });
  });

  it('says when its message was left out', () => {
    expect(entry({ MESSAGE: null })).toMatchObject({ message: '', messageLeftOut: true });
  });

  it.each(['', 'null', '[]', '{"__CURSOR":"x"}', '{', JSON.stringify({ ...FIELDS, __REALTIME_TIMESTAMP: 'now' })])('is not %j', (line) => {
    expect(journalEntry(line)).toBeUndefined();
  });

  it('is never a reason to fail, whatever its fields hold', () => {
    fc.assert(
      fc.property(
        fc.record({ MESSAGE: fc.jsonValue(), PRIORITY: fc.jsonValue(), _PID: fc.jsonValue(), UNIT: fc.jsonValue() }),
        (fields) => {
          expect(() => entry(fields as object)).not.toThrow();
        },
      ),
    );
  });
});
