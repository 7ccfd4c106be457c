// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot';
import type { Slot } from '../../update/installer.ts';
import { readAnswer } from './rauc-answer.ts';

const text = v.string();
const time = v.pipe(
  text,
  v.transform((written) => new Date(written)),
  v.date(),
);

/** The answer of GetSlotStatus, a(sa{sv}). */
const AnswerSchema = v.array(v.tuple([text, v.record(text, v.unknown())]));

/** RAUC leaves out what it does not know. */
const MemberSchema = v.object({ device: text, parent: v.optional(text) });
const StatusSchema = v.object({
  bootname: text,
  device: text,
  state: text,
  'boot-status': v.optional(text, ''),
  status: v.optional(text, ''),
  'bundle.version': v.optional(text, ''),
  'bundle.hash': v.optional(text),
  'installed.transaction': v.optional(text),
  'installed.timestamp': v.optional(time),
});

/** The bootable slots of a GetSlotStatus answer, by name; `primary` is the name that GetPrimary gave. Throws RAUC_UNREADABLE. */
export function toSlots(answer: unknown, primary: string): Slot[] {
  const all = readAnswer(AnswerSchema, answer, 'the slots');
  const members = all.map(([name, status]) => ({ name, ...readAnswer(MemberSchema, status, `slot "${name}"`) }));
  const groupOf = (slot: string): Slot['group'] =>
    members
      .filter(({ name, parent }) => name === slot || parent === slot)
      .map(({ name, device }) => ({ name, slotClass: classOf(name), device }));
  return all
    .filter(([, status]) => 'bootname' in status)
    .map(([name, status]) => ({ ...toSlot(name, readAnswer(StatusSchema, status, `slot "${name}"`), primary), group: groupOf(name) }))
    .sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
}

function toSlot(name: string, status: v.InferOutput<typeof StatusSchema>, primary: string): Omit<Slot, 'group'> {
  const installedAt = status['installed.timestamp'];
  const transactionId = status['installed.transaction'];
  const manifestHash = status['bundle.hash'];
  return {
    name,
    bootname: status.bootname,
    device: status.device,
    booted: status.state === 'booted',
    primary: name === primary,
    bootStatus: toBootStatus(status['boot-status']),
    version: status['bundle.version'],
    status: status.status,
    ...(installedAt && { installedAt }),
    ...(transactionId && { transactionId }),
    ...(manifestHash && { manifestHash }),
  };
}

/** RAUC names a slot by its class and its number. */
const classOf = (name: string): string => name.slice(0, name.lastIndexOf('.'));

function toBootStatus(status: string): Slot['bootStatus'] {
  return status === 'good' || status === 'bad' ? status : 'unknown';
}
