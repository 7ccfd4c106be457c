// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { isStrayTrial, leaveStrayTrial } from '../../../../../agent/daemon/update/effects/stray-trial.ts';
import { Failure } from '../../../../../agent/shared/failure.ts';
import { FakeClock } from '../../../fakes/clock.ts';
import { FakeInstaller } from '../../../fakes/installer.ts';
import { keepingLogger } from '../../../fakes/log.ts';
import { ARMED_BOOT, OPERATION_ID, STATES, TRIAL_BOOT } from '../states.ts';

const trial = { operationId: OPERATION_ID, bootId: TRIAL_BOOT, what: 'trial', detail: '' } as const;

describe('a trial boot', () => {
  it.each([
    ['that the update knows of', STATES.checking, TRIAL_BOOT, false, false],
    ['that is being left', STATES['rolling-back'], TRIAL_BOOT, false, false],
    ['that was committed', STATES.committed, TRIAL_BOOT, true, false],
    ['that was committed, before another update failed', STATES.failed, TRIAL_BOOT, true, false],
    ['that is over', STATES.failed, ARMED_BOOT, false, false],
    ['whose update is lost', STATES.failed, TRIAL_BOOT, false, true],
    ['of which nothing is known at all', STATES.idle, TRIAL_BOOT, false, true],
  ] as const)('%s is told from a stray one', (_which, state, bootId, committed, stray) => {
    expect(isStrayTrial(state, [trial], bootId, committed)).toBe(stray);
  });

  it('that is stray is marked bad, disarmed and left, however often RAUC refuses at first', async () => {
    const installer = new FakeInstaller();
    const clock = new FakeClock();
    const { log, lines } = keepingLogger();
    const done: string[] = [];
    installer.failures.set('markBad', [new Failure('RAUC_REFUSED', 'Cannot mark: the boot loader does not answer')]);
    const left = leaveStrayTrial(
      {
        installer,
        clock,
        log,
        boot: { bootId: TRIAL_BOOT, bootname: 'B' },
        reboot: async () => void done.push('reboot'),
        marks: { disarm: async () => void done.push('disarm'), gate: async (verdict) => void done.push(`gate ${verdict}`) },
      },
      new AbortController().signal,
    );
    for (let round = 0; round < 130; round++) await clock.advance(1_000);
    await left;
    expect(installer.asked.filter((call) => call.startsWith('mark'))).toEqual(['markBad rootfs.1', 'markBad rootfs.1']);
    expect(done).toEqual(['gate failed', 'gate failed', 'disarm', 'reboot']);
    expect(lines.map(({ msg }) => msg)).toContain('A trial boot without an update could not be ended');
  });
});
