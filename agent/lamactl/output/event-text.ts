// SPDX-License-Identifier: Apache-2.0

import { oneLine } from '../../shared/printable.ts';
import type { NodeEvent, NodeEventDetail } from '../node/node-event.ts';
import type { Paint, Style } from './colour.ts';
import { localTime } from './time.ts';

/** An event on a line of its own; the one before it says so when events are missing between the two. */
export function eventText(paint: Paint, node: string, event: NodeEvent): string {
  const [style, sentence] = told(event);
  const gap = event.gap ? `${paint('warning', `${node}: events before the next are no longer on record`)}\n` : '';
  return `${gap}${paint('faint', localTime(event.at))} ${node} ${paint(style, oneLine(sentence))}\n`;
}

function told(event: NodeEventDetail): readonly [Style, string] {
  switch (event.type) {
    case 'booted':
      return ['heading', `booted slot ${event.bootname} with image ${event.imageVersion} (agent ${event.agentVersion})`];
    case 'agent-restarted':
      return ['warning', `the agent started again (${event.agentVersion})`];
    case 'rebooting':
      return ['heading', 'the agent asked for a reboot'];
    case 'update-phase-entered':
      return phaseEntered(event);
    case 'gate-decided':
      return [event.verdict === 'passed' ? 'good' : 'bad', `the health gate ${event.verdict}: ${event.message}`];
    case 'check-changed': {
      const style = event.outcome === 'passed' ? 'good' : event.severity === 'advisory' ? 'warning' : 'bad';
      return [style, `check ${event.name} (${event.severity}) ${event.outcome}: ${event.detail}`];
    }
    case 'certificates-reloaded':
      return ['heading', `new certificates took hold${event.notAfter ? `, valid until ${localTime(event.notAfter)}` : ''}`];
    case 'unit-restarted':
      return ['heading', `${event.name} was restarted through the agent`];
    case 'unknown':
      return ['warning', 'something that this lamactl does not know'];
  }
}

function phaseEntered(event: Extract<NodeEventDetail, { type: 'update-phase-entered' }>): readonly [Style, string] {
  const { phase, version, targetSlot, reasonCode, reasonMessage } = event;
  const what = ['update', version && `to ${version}`, targetSlot && `in ${targetSlot}`].filter(Boolean).join(' ');
  const why = reasonCode ? `: ${reasonMessage} (${reasonCode})` : '';
  const style = phase === 'committed' ? 'good' : phase === 'failed' || phase.startsWith('roll') ? 'bad' : 'heading';
  return [style, `${what}: ${phase}${why}`];
}
