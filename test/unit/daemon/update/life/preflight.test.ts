// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { EventOf } from '../../../../../agent/daemon/update/life/event.ts';
import { preflight } from '../../../../../agent/daemon/update/life/preflight.ts';
import type { Operation } from '../../../../../agent/daemon/update/life/state.ts';
import { OPERATION } from '../node.ts';
import { EVENTS } from '../states.ts';

type Inspected = EventOf<'inspected'>;

const look = (inspected: Partial<Inspected> = {}, operation: Partial<Operation> = {}) =>
  preflight({ ...OPERATION, ...operation }, { ...EVENTS.inspected, ...inspected });
const bundle = (changes: Partial<Inspected['bundle']>) => ({ bundle: { ...EVENTS.inspected.bundle, ...changes } });
const image = (sizeBytes: number, slotClass = 'rootfs') => bundle({ images: [{ slotClass, sizeBytes }] });

const slots = (sizeBytes: number | undefined) => ({ targetSlots: [{ name: 'rootfs.1', slotClass: 'rootfs', sizeBytes }] });

describe('before an install, a bundle', () => {
  it('against which nothing speaks may pass', () => {
    expect(look()).toBeUndefined();
  });

  it('for other nodes is refused, whatever is forced', () => {
    const message = 'Cannot install 2: the bundle is for "toaster" and this node is "lamadist-test"';
    for (const operation of [{}, { force: true, allowDowngrade: true }]) {
      expect(look(bundle({ compatible: 'toaster' }), operation)).toEqual({ code: 'BUNDLE_INCOMPATIBLE', message, failedChecks: [] });
    }
  });

  it('whose version was rolled back here is refused, unless it is forced', () => {
    const message = 'Cannot install 2: it was rolled back on this node before';
    expect(look({ failedHere: true })).toMatchObject({ code: 'VERSION_FAILED_HERE', message });
    expect(look({ failedHere: true }, { allowDowngrade: true })).toMatchObject({ code: 'VERSION_FAILED_HERE' });
    expect(look({ failedHere: true }, { force: true })).toBeUndefined();
  });

  it('that is older than what runs is refused, unless that is allowed', () => {
    const message = 'Cannot install 2: the node runs 3, which is newer';
    expect(look({ runningVersion: '3' })).toMatchObject({ code: 'DOWNGRADE_REFUSED', message });
    expect(look({ runningVersion: '3' }, { force: true })).toMatchObject({ code: 'DOWNGRADE_REFUSED' });
    expect(look({ runningVersion: '3' }, { allowDowngrade: true })).toBeUndefined();
  });

  it.each(['2', '1', '2-rc.1', 'nightly', ''])('of version 2 may pass where "%s" runs', (runningVersion) => {
    expect(look({ runningVersion })).toBeUndefined();
  });

  it('whose image is larger than the slot is refused', () => {
    const message = 'Cannot install 2: its image has 1001 bytes and slot "rootfs.1" holds 1000';
    expect(look({ ...image(1_001), ...slots(1_000) })).toMatchObject({ code: 'BUNDLE_TOO_LARGE', message });
  });

  it.each<[string, Partial<Inspected>]>([
    ['is as large as the slot', { ...image(1_000), ...slots(1_000) }],
    ['is larger than a slot whose size nobody can tell', { ...image(1_001), ...slots(undefined) }],
    ['is for slots of another class', { ...image(1_001, 'root'), ...slots(1_000) }],
    ['is told by no manifest', { ...bundle({ images: [] }), ...slots(1_000) }],
  ])('whose image %s may pass', (_what, inspected) => {
    expect(look(inspected)).toBeUndefined();
  });

  it('whose image for a slot that is written with the target is larger than that slot is refused', () => {
    const targetSlots = [{ name: 'esp.1', slotClass: 'esp', sizeBytes: 10 }, ...slots(1_000).targetSlots];
    const images = [
      { slotClass: 'rootfs', sizeBytes: 1_000 },
      { slotClass: 'esp', sizeBytes: 11 },
    ];
    const message = 'Cannot install 2: its image has 11 bytes and slot "esp.1" holds 10';
    expect(look({ ...bundle({ images }), targetSlots })).toMatchObject({ code: 'BUNDLE_TOO_LARGE', message });
  });

  it('against which much speaks is refused for what can be changed least', () => {
    const inspected = { ...bundle({ compatible: 'toaster' }), failedHere: true, runningVersion: '3', ...slots(1) };
    expect(look(inspected)).toMatchObject({ code: 'BUNDLE_INCOMPATIBLE' });
    expect(look({ ...inspected, ...bundle({}) })).toMatchObject({ code: 'VERSION_FAILED_HERE' });
  });
});
