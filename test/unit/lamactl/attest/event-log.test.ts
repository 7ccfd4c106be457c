// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { readEfiVariable } from '../../../../agent/lamactl/attest/event-log/efi-variable.ts';
import { readEventLog } from '../../../../agent/lamactl/attest/event-log/event-log.ts';
import { secureBoot } from '../../../../agent/lamactl/attest/event-log/secure-boot.ts';
import { event, GOOD_EVENTS, hashed, NO_ACTION, secureBootVariable, writeEventLog } from '../../../../qemu/measured-boot/measured-boot.ts';

const LOG = writeEventLog(GOOD_EVENTS);
/** Where the first event begins: behind the header, whose Spec ID event has 37 bytes. */
const FIRST = 32 + 37;
const changed = (at: number, ...octets: number[]) => {
  const bytes = Buffer.from(LOG);
  bytes.set(octets, at);
  return () => readEventLog(bytes);
};

describe('a firmware event log', () => {
  it('is read, event by event', () => {
    const { banks, events } = readEventLog(LOG);
    expect([...banks]).toEqual(['sha256']);
    expect(events).toHaveLength(GOOD_EVENTS.length);
    for (const [index, { pcr, type, data, measured }] of GOOD_EVENTS.entries()) {
      expect(events[index]).toMatchObject({ index: index + 1, pcr, type, data, digestsAreZero: false });
      expect(events[index]?.digests).toEqual(new Map([['sha256', hashed('sha256', measured)]]));
    }
  });

  it('may have events for no PCR, if nothing is measured', () => {
    expect(readEventLog(writeEventLog([event(0xffffffff, NO_ACTION, 'SP800-155')])).events).toMatchObject([{ pcr: 0xffffffff }]);
  });

  it('may have events for PCR 23', () => {
    expect(readEventLog(writeEventLog([event(23, 1, 'x')])).events).toMatchObject([{ pcr: 23 }]);
  });

  it('has a zero digest only when those of all banks are', () => {
    const bytes = writeEventLog([event(0, NO_ACTION, 'x')]);
    expect(readEventLog(bytes).events[0]?.digestsAreZero).toBe(true);
    bytes[FIRST + 14] = 1;
    expect(readEventLog(bytes).events[0]?.digestsAreZero).toBe(false);
  });

  it.each([
    ['for another PCR', 0],
    ['of another type', 4],
    ['with another signature', 32],
  ])('has no strong bank with a first event %s', (_, at) => {
    const bytes = Buffer.from(LOG);
    bytes[at] = 9;
    expect(readEventLog(bytes)).toEqual({ banks: new Set(), events: [] });
  });

  it.each([
    ['an event with a digest that the log does not list', changed(FIRST + 12, 5), 'a digest of 0x5, which the log does not list'],
    ['an event for PCR 24', changed(FIRST, 24), 'event 1 is for PCR 24'],
    ['a measurement for no PCR', () => readEventLog(writeEventLog([event(0xffffffff, 1, 'x')])), 'event 1 is for PCR 4294967295'],
    ['an event with a digest too few', changed(FIRST + 8, 1), 'event 1 has 1 digests, and the log says 2'],
    ['an event with a digest twice', changed(FIRST + 12 + 22, 4), 'a digest of 0x4, which the log does not list, or twice'],
    ['an algorithm twice', changed(32 + 28 + 4, 4), 'algorithm 0x4 comes twice'],
    ['a digest of a wrong size', changed(32 + 28 + 6, 20), 'a digest of sha256 has 20 bytes'],
    ['a digest of a size beyond reason', changed(32 + 28 + 2, 65), 'the size of a digest is 65, and 64 is the most'],
    ['too many algorithms', changed(32 + 24, 9), 'the number of its algorithms is 9, and 8 is the most'],
    ['a Spec ID event that is too long', changed(28, 38), 'Cannot read the Spec ID event: 1 bytes follow its end'],
    ['too many events', () => readEventLog(writeEventLog(Array.from({ length: 16_385 }, () => event(1, 1, '')))), '16384 is the most'],
  ])('is refused with %s', (_, read, found) => {
    expect(read).toThrow(found);
  });
});

it('a firmware log may have as many events as are allowed', () => {
  const events = Array.from({ length: 16_384 }, () => event(1, 1, ''));
  expect(readEventLog(writeEventLog(events)).events).toHaveLength(16_384);
});

describe('an EFI variable', () => {
  it('is read', () => {
    const variable = { guid: '8be4df61-93ca-11d2-aa0d-00e098032b8c', name: 'SecureBoot', data: Buffer.of(1) };
    expect(readEfiVariable(secureBootVariable(1))).toEqual(variable);
  });

  it.each([
    ['a name beyond the event', 16, 0xff, 'Cannot read'],
    ['a name of 2^63 characters', 23, 0x80, 'its sizes go beyond the event'],
    ['data beyond the event', 24, 0xff, 'its sizes go beyond the event'],
    ['something after its data', 24, 0, 'follow its end'],
  ])('is refused with %s', (_, at, octet, found) => {
    const bytes = secureBootVariable(1);
    bytes[at] = octet;
    expect(() => readEfiVariable(bytes)).toThrow(found);
  });
});

describe('Secure Boot', () => {
  const stateOf = (events: typeof GOOD_EVENTS) => secureBoot(readEventLog(writeEventLog(events)).events);

  it('is on in a boot where it is, and names who allowed what', () => {
    const certificate = hashed('sha256', 'the certificate of the image builder').toString('hex');
    expect(stateOf(GOOD_EVENTS)).toEqual({ enabled: true, authorities: [certificate] });
  });

  it('is not known without a separator, or with a state of two bytes', () => {
    expect(stateOf(GOOD_EVENTS.filter(({ type }) => type !== 4)).enabled).toBeUndefined();
    const variable = Buffer.concat([secureBootVariable(1), Buffer.of(1)]);
    variable.writeUInt8(2, 24);
    const events = [event(7, 0x80000001, variable), event(7, 4, Buffer.alloc(4))];
    expect(stateOf(events).enabled).toBeUndefined();
  });

  it('is not what a variable of the same name, but another owner, says', () => {
    const variable = secureBootVariable(1);
    variable[0] = 0;
    expect(stateOf([event(7, 0x80000001, variable), event(7, 4, Buffer.alloc(4))]).enabled).toBeUndefined();
  });
});
