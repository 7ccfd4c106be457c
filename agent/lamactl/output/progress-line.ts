// SPDX-License-Identifier: Apache-2.0

import { oneLine } from '../../shared/printable.ts';
import type { FollowEvent } from '../fleet/follow.ts';
import type { Update } from '../node/node-update.ts';
import type { Paint, Style } from './colour.ts';
import { fetchedText } from './fetched-text.ts';
import { stopwatch } from './time.ts';

/** What a line says of one node. */
export interface NodeProgress {
  readonly name: string;
  /** A phase, or a word for why there is none: asking, rebooting, unreachable. */
  readonly label: string;
  readonly style: Style;
  readonly percent?: number;
  readonly detail: string;
}

const REBOOTS_FROM: ReadonlySet<string> = new Set(['activating', 'pending-reboot', 'trial', 'checking', 'rolling-back']);

/** What an event means for the line of a node, given the update as it was last seen. */
export function nodeProgress(name: string, event: FollowEvent, last: Update | undefined): NodeProgress {
  switch (event.type) {
    case 'progress':
    case 'result':
      return ofUpdate(name, event.update);
    case 'unreachable': {
      if (last && REBOOTS_FROM.has(last.phase))
        return { name, label: 'rebooting', style: 'warning', detail: 'waiting for it to answer again' };
      return { name, label: 'unreachable', style: 'warning', detail: event.failure.message };
    }
    case 'left':
      return {
        name,
        label: last?.phase ?? 'unknown',
        style: 'warning',
        detail: waitsForFile(last) ? 'needs the file from this machine' : 'goes on without lamactl',
      };
    case 'error':
      // The sentence follows with what to do about it, when every node has ended.
      return { name, label: event.failure.code === 'NODE_UNREACHABLE' ? 'unknown' : 'refused', style: 'bad', detail: event.failure.code };
  }
}

/** Until the slot is written, a node may still want a part of a bundle that lies on this machine. */
function waitsForFile(last: Update | undefined): boolean {
  return (
    last?.source !== undefined && 'client' in last.source && ['downloading', 'paused', 'inspecting', 'installing'].includes(last.phase)
  );
}

function ofUpdate(name: string, update: Update): NodeProgress {
  const writing = update.phase === 'downloading' || update.phase === 'installing';
  return {
    name,
    label: update.phase,
    style: styleOf(update),
    ...(writing && update.progress ? { percent: update.progress.percent } : {}),
    detail: detailOf(update),
  };
}

function styleOf({ phase }: Update): Style {
  if (phase === 'committed') return 'good';
  return phase === 'failed' || phase === 'rolled-back' || phase === 'rolling-back' ? 'bad' : 'heading';
}

/** What the update waits for; empty when it does not wait. */
export function waitsFor({ phase, rebootPolicy, window, startsAt, pausing }: Update): string {
  if (phase === 'scheduled')
    return startsAt ? `starts at ${startsAt} (window ${window})` : `waits for its clock to be set (window ${window})`;
  if (phase === 'paused') return 'waits for "lamactl resume"';
  if (pausing) return 'is paused as soon as the slot is written';
  if (phase === 'pending-reboot' && window !== '') return `reboots in its window (${window})`;
  return phase === 'pending-reboot' && rebootPolicy === 'manual' ? 'waits for "lamactl reboot"' : '';
}

function detailOf(update: Update): string {
  const { phase, progress, reason, bundle, targetSlot } = update;
  if (reason) return reason.message;
  const waits = waitsFor(update);
  if (waits !== '') return waits;
  if (phase === 'committed') return [bundle?.version, targetSlot].filter(Boolean).join(' in ');
  const fetched = fetchedText(update);
  return [progress?.message, fetched && `fetched ${fetched}`].filter(Boolean).join(', ');
}

const BAR_WIDTH = 20;
const LABEL_WIDTH = 'pending-reboot'.length;

/** One line, no wider than the terminal: name, phase, bar, per cent, time, what is being done. */
export function progressLine(paint: Paint, node: NodeProgress, elapsedMs: number, nameWidth: number, columns: number): string {
  const name = node.name.padEnd(nameWidth);
  const label = node.label.padEnd(LABEL_WIDTH);
  const meter = `${bar(node.percent)} ${node.percent === undefined ? '    ' : `${String(clamp(node.percent)).padStart(3)}%`}`;
  const rest = `${meter}  ${stopwatch(elapsedMs).padStart(5)}  ${oneLine(node.detail)}`;
  // One column stays free: a full line would wrap on some terminals, and the redraw would miscount.
  const room = Math.max(0, columns - 1 - name.length - 2 - label.length - 2);
  return `${name}  ${paint(node.style, label)}  ${rest.slice(0, room).trimEnd()}`;
}

function bar(percent: number | undefined): string {
  if (percent === undefined) return ' '.repeat(BAR_WIDTH);
  const filled = Math.round((clamp(percent) / 100) * BAR_WIDTH);
  return '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled);
}

function clamp(percent: number): number {
  return Math.min(100, Math.max(0, Math.trunc(percent)));
}
