// SPDX-License-Identifier: Apache-2.0
import { type Finding, PROTECTIONS, type ProtectionKind, type ReadSecurityPosture } from '../../../node/security-posture.ts';
import { errorReason } from '../error-reason.ts';
import { luksData, verityRoot } from './disks.ts';
import { secureBoot, tpm } from './firmware.ts';
import { ima, lockdown, selinux } from './kernel.ts';

/** One look at each protection, at the files below a root. It throws when a file that is there may not be read. */
const LOOKS: { readonly [K in ProtectionKind]: (root: string) => Promise<Finding> } = {
  'secure-boot': secureBoot,
  'verity-root': verityRoot,
  'luks-data': luksData,
  selinux,
  ima,
  tpm,
  lockdown,
};

/** Reads from /proc and /sys what protects the node. */
export function securityPosture(root = ''): ReadSecurityPosture {
  return () => Promise.all(PROTECTIONS.map(async (kind) => ({ kind, ...(await LOOKS[kind](root).catch(unreadable(root))) })));
}

function unreadable(root: string): (error: NodeJS.ErrnoException) => Finding {
  return (error) => {
    const evidence = (error.path ?? '').slice(root.length);
    return { state: 'unknown', detail: `cannot be read: ${errorReason(error)}`, evidence };
  };
}
