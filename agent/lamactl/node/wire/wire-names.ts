// SPDX-License-Identifier: Apache-2.0

/* The names of the protocol's enums, each list indexed by the number; what a newer node says beyond it is unknown. */

export const PHASES = [
  'unknown',
  'idle',
  'downloading',
  'inspecting',
  'installing',
  'installed',
  'activating',
  'pending-reboot',
  'trial',
  'checking',
  'committing',
  'committed',
  'rolling-back',
  'rolled-back',
  'failed',
  'scheduled',
  'paused',
] as const;
export const REACHABILITIES = ['unknown', 'reachable', 'unreachable'] as const;
export const BOOT_STATUSES = ['unknown', 'good', 'bad'] as const;
export const OUTCOMES = ['unknown', 'pending', 'passed', 'failed', 'timed-out'] as const;
export const SEVERITIES = ['unknown', 'required', 'advisory'] as const;
export const VERDICTS = ['unknown', 'pending', 'passed', 'failed'] as const;
export const REBOOT_POLICIES = ['unknown', 'automatic', 'manual'] as const;
