// SPDX-License-Identifier: Apache-2.0
import type { FollowEnd } from '../fleet/follow.ts';
import type { Update } from '../node/node-update.ts';
import type { Paint } from './colour.ts';
import { logText } from './log-text.ts';

const LAST_LOG_LINES = 20;

/** How an update ended on a node, with all that its administrator needs to know why. Empty when another text tells it. */
export function outcomeText(paint: Paint, node: string, end: FollowEnd): string {
  if (end.type !== 'result') return '';
  const { update } = end;
  const good = update.phase === 'committed';
  const version = [update.bundle?.version, update.targetSlot && `in ${update.targetSlot}`].filter(Boolean).join(' ');
  const heading = paint(good ? 'good' : 'bad', `${node}: ${[update.phase, version].filter(Boolean).join(' ')}`);
  return `${heading}\n${good ? '' : whyText(update)}`;
}

function whyText({ reason, checks, failedBootLog }: Update): string {
  const lines = reason ? [`  ${reason.message} (${reason.code})\n`] : [];
  for (const name of reason?.failedChecks ?? []) {
    const detail = checks.find((check) => check.name === name)?.detail;
    lines.push(`  check ${name}${detail ? `: ${detail}` : ''}\n`);
  }
  if (reason?.remedy) lines.push(`  ${reason.remedy}\n`);
  if (failedBootLog !== '') lines.push("  the failed boot's log ends:\n", logText(failedBootLog, LAST_LOG_LINES));
  return lines.join('');
}
