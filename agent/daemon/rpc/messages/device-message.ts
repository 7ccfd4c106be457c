// SPDX-License-Identifier: Apache-2.0
import { lamadist } from '../../../shared/gen/messages.js';
import type { FileSystem } from '../../node/disk-usage.ts';
import type { Inventory } from '../../node/inventory.ts';
import type { Protection, ProtectionKind } from '../../node/security-posture.ts';
import { timestamp } from './update-message.ts';

const { ProtectionKind: Kind, ProtectionState: State } = lamadist.agent.v1;

const KIND: Record<ProtectionKind, lamadist.agent.v1.ProtectionKind> = {
  'secure-boot': Kind.PROTECTION_KIND_SECURE_BOOT,
  'verity-root': Kind.PROTECTION_KIND_VERITY_ROOT,
  'luks-data': Kind.PROTECTION_KIND_LUKS_DATA,
  selinux: Kind.PROTECTION_KIND_SELINUX,
  ima: Kind.PROTECTION_KIND_IMA,
  tpm: Kind.PROTECTION_KIND_TPM,
  lockdown: Kind.PROTECTION_KIND_LOCKDOWN,
};

const STATE: Record<Protection['state'], lamadist.agent.v1.ProtectionState> = {
  on: State.PROTECTION_STATE_ON,
  off: State.PROTECTION_STATE_OFF,
  unknown: State.PROTECTION_STATE_UNSPECIFIED,
};

export function protectionMessage({ kind, state, detail, evidence }: Protection): lamadist.agent.v1.Protection.$Properties {
  return { kind: KIND[kind], state: STATE[state], detail, evidence };
}

export function fileSystemMessage({ capacity, ...rest }: FileSystem): lamadist.agent.v1.FileSystem.$Properties {
  return { ...rest, ...(capacity && { capacity }) };
}

/** What is null is not in the message; the other fields have the same names. */
export function inventoryMessage({ collectedAt, ...found }: Inventory): lamadist.agent.v1.Inventory.$Properties {
  const { system, board, firmware, processor, memoryBytes, disks, networkInterfaces, problems } = found;
  return {
    collectedAt: timestamp(collectedAt.getTime()),
    system,
    board,
    firmware,
    processor,
    memoryBytes,
    disks: [...disks],
    networkInterfaces: networkInterfaces.map(({ addresses, ...rest }) => ({ ...rest, addresses: [...addresses] })),
    problems: [...problems],
  };
}
