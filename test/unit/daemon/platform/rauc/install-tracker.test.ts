// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { type InstallEnd, InstallTracker } from '../../../../../agent/daemon/platform/rauc/install-tracker.ts';

type Step = (tracker: InstallTracker) => unknown;
const beginning: Step = (tracker) => tracker.beginning();
const begun: Step = (tracker) => tracker.begun();
const notBegun: Step = (tracker) => tracker.notBegun();
const gone: Step = (tracker) => tracker.gone();
const busy: Step = (tracker) => tracker.busy();
const free: Step = (tracker) => tracker.free();
const completed: Step = (tracker) => tracker.completed(0);
const failed: Step = (tracker) => tracker.completed(1);

const SUCCESS = { type: 'completed', result: 0 };
const FAILURE = { type: 'completed', result: 1 };
const VANISHED = { type: 'vanished' };

describe('the end of an install', () => {
  it.each<[string, Step[], object[]]>([
    ['comes with Completed', [beginning, begun, completed], [SUCCESS]],
    ['comes for installs of others, too', [completed, failed], [SUCCESS, FAILURE]],
    ['never comes when RAUC left', [beginning, begun, gone], [VANISHED]],
    ['never comes when RAUC left during an install of another', [busy, gone], [VANISHED]],
    ['is told once', [beginning, begun, failed, gone, free], [FAILURE]],
    ['was missed when RAUC is found free', [beginning, begun, free, free], [VANISHED]],
    ['is not near while RAUC is found busy', [beginning, begun, busy, busy], []],
    ['is none when nothing was under way', [gone, free], []],
    ['is none when RAUC refused to begin', [beginning, notBegun, gone, free], []],
    ['is none when RAUC left before it began', [beginning, gone, notBegun], []],
    ['of another install arrives while RAUC refuses ours', [busy, beginning, failed, notBegun, gone], [FAILURE]],
    ['of another install is dropped when ours is found running', [beginning, completed, begun, busy, failed], [FAILURE]],
    ['that outran the answer counts when RAUC is found free', [beginning, failed, begun, free], [FAILURE]],
    ['is not concluded from a free RAUC before it was to begin', [busy, beginning, free], []],
  ])('%s', (_, steps, expected) => {
    const ends: InstallEnd[] = [];
    const tracker = new InstallTracker((end) => ends.push(end));
    for (const step of steps) step(tracker);
    expect(ends).toEqual(expected);
    expect(tracker.ends).toBe(expected.length);
  });

  it('that outran the answer has to be looked into', () => {
    const tracker = new InstallTracker(() => {});
    tracker.beginning();
    tracker.completed(0);
    expect(tracker.begun()).toBe(true);
  });
});
