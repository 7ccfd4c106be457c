// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { steadyBoot } from '../../../../../agent/daemon/update/effects/steady-boot.ts';
import type { GateDecision } from '../../../../../agent/daemon/update/ports.ts';
import { Failure } from '../../../../../agent/shared/failure.ts';
import { FakeClock } from '../../../fakes/clock.ts';
import { FakeInstaller } from '../../../fakes/installer.ts';
import { keepingLogger } from '../../../fakes/log.ts';

const PASSED: GateDecision = { passed: true };
const FAILED: GateDecision = { passed: false, code: 'CHECK_FAILED', message: 'Cannot call it healthy', failedChecks: ['web'] };
const MINUTE_MS = 60_000;

/** A boot of a slot that was committed before; the gate decides as told, one after another, and passes from then on. */
function booting({ decisions = [] as GateDecision[], bootname = 'A', full = 0, settled = true } = {}) {
  const installer = new FakeInstaller();
  const clock = new FakeClock();
  const { log, lines } = keepingLogger();
  const stop = new AbortController();
  const marks: string[] = [];
  const begin = () =>
    steadyBoot(
      {
        installer,
        clock,
        log,
        boot: { bootId: 'boot', bootname },
        settled: () => settled,
        reboot: async () => void marks.push('reboot'),
        gate: async () => decisions.shift() ?? PASSED,
        marks: {
          arm: async () => {},
          disarm: async () => void marks.push('disarm'),
          async committed() {
            if (full-- > 0) throw new Error('ENOSPC');
            marks.push('committed');
          },
          gate: async (verdict) => void marks.push(`gate ${verdict}`),
        },
      },
      stop.signal,
    );
  const good = () => installer.asked.filter((call) => call.startsWith('markGood'));
  const said = () => lines.map(({ msg }) => msg);
  return { installer, clock, stop, marks, begin, good, said };
}

describe('a boot of a committed slot', () => {
  it('passes the gate, is marked good, and only then needs no deadline any more', async () => {
    const { marks, begin, good, clock } = booting();
    await begin();
    expect(marks).toEqual(['gate passed', 'committed', 'disarm']);
    expect(good()).toEqual(['markGood rootfs.0']);
    expect(clock.sleeping).toBe(0);
  });

  it('leaves alone what an update under way has armed', async () => {
    const { marks, begin } = booting({ settled: false });
    await begin();
    expect(marks).not.toContain('disarm');
  });

  it('is left when it is not healthy and was never committed: its journal is lost', async () => {
    const { installer, marks, begin, good } = booting({ decisions: [FAILED], bootname: 'B' });
    installer.slotB = { ...installer.slotB, bootStatus: 'bad' };
    installer.slotA = { ...installer.slotA, bootStatus: 'good' };
    await begin();
    expect(installer.asked).toContain('markBad rootfs.1');
    expect(marks).toEqual(['gate failed', 'disarm', 'reboot']);
    expect(good()).toEqual([]);
  });

  it.each(['an update is under way', 'the other slot is not good', 'it was committed before'])('is not left when %s', async (why) => {
    const { installer, marks, begin, clock, stop } = booting({
      decisions: [FAILED],
      bootname: 'B',
      settled: why !== 'an update is under way',
    });
    installer.slotB = { ...installer.slotB, bootStatus: why === 'it was committed before' ? 'good' : 'bad' };
    installer.slotA = { ...installer.slotA, bootStatus: why === 'the other slot is not good' ? 'bad' : 'good' };
    const done = begin();
    await clock.advance(1_000);
    expect(marks).toEqual(['gate failed']);
    stop.abort();
    await done;
  });

  it('that is not healthy is reported, never marked, and tried again a minute later', async () => {
    const { marks, begin, good, clock, said } = booting({ decisions: [FAILED] });
    const done = begin();
    await clock.advance(MINUTE_MS - 1);
    expect(marks).toEqual(['gate failed']);
    expect(good()).toEqual([]);
    expect(said()).toEqual(['The booted slot is not healthy']);
    await clock.advance(1);
    await done;
    expect(good()).toEqual(['markGood rootfs.0']);
  });

  it('is tried again when RAUC refuses, and when its mark cannot be written', async () => {
    const { installer, begin, good, clock } = booting({ full: 1 });
    installer.failures.set('markGood', [new Failure('RAUC_REFUSED', 'Cannot mark it')]);
    const done = begin();
    await clock.advance(2 * MINUTE_MS);
    await done;
    expect(good()).toHaveLength(3);
  });

  it('does not say that it marked a slot that RAUC does not know', async () => {
    const { begin, clock, stop, said, good } = booting({ bootname: 'recovery' });
    const done = begin();
    await clock.advance(MINUTE_MS);
    stop.abort();
    await done;
    expect(new Set(said())).toEqual(new Set(['The booted slot could not be marked good']));
    expect(good()).toEqual([]);
  });

  it('is left in peace when the agent stops', async () => {
    const { begin, clock, stop, said } = booting({ decisions: [FAILED] });
    const done = begin();
    await clock.advance(1);
    stop.abort();
    await done;
    expect(clock.sleeping).toBe(0);
    expect(said()).toEqual(['The booted slot is not healthy']);
  });
});
