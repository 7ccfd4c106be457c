// SPDX-License-Identifier: Apache-2.0
import type { BundleFileInfo } from './bundle-file.ts';
import type { CheckResult } from './node-device.ts';
import type { RolloutFence } from './node-rollout.ts';
import type { PHASES, REBOOT_POLICIES } from './wire/wire-names.ts';

/* What a node tells of its updates, and is asked for; see node.ts for the rules. */

export type Phase = (typeof PHASES)[number];
type RebootPolicy = (typeof REBOOT_POLICIES)[number];

export type BundleSource =
  | { readonly path: string }
  | { readonly url: string }
  | { readonly client: BundleFileInfo & { readonly peers?: readonly Peer[] } };

/** Another node that is said to keep a file: its name as its certificate says it, and host:port. */
export interface Peer {
  readonly name: string;
  readonly address: string;
}

export interface Bundle {
  readonly compatible: string;
  readonly version: string;
  readonly description: string;
  readonly build: string;
  readonly format: string;
  readonly manifestHash: string;
}

export interface Inspection {
  readonly bundle: Bundle;
  readonly compatibleWithNode: boolean;
  readonly failedHere: boolean;
}

interface UpdateReason {
  readonly code: string;
  readonly message: string;
  /** What to do about it; empty from a node that does not say. */
  readonly remedy: string;
  readonly failedChecks: readonly string[];
}

export interface Update {
  readonly operationId: string;
  readonly phase: Phase;
  readonly source?: BundleSource;
  readonly bundle?: Bundle;
  readonly sourceSlot: string;
  readonly targetSlot: string;
  readonly progress?: { readonly percent: number; readonly message: string };
  /** How much of the bundle came from elsewhere. */
  readonly fetched?: { readonly fetchedBytes: number; readonly bundleBytes: number };
  readonly requestedBy: string;
  readonly rebootPolicy: RebootPolicy;
  readonly force: boolean;
  /** Within which it starts and reboots; empty for at once. */
  readonly window: string;
  /** When it starts, while it is scheduled and the node's clock can be relied on. */
  readonly startsAt?: string;
  /** It will be paused as soon as the slot is written. */
  readonly pausing: boolean;
  readonly phaseChanges: readonly { readonly phase: Phase; readonly at?: string }[];
  readonly checks: readonly CheckResult[];
  readonly reason?: UpdateReason;
  readonly trialBootIds: readonly string[];
  readonly failedBootLog: string;
}

/** A bundle on removable media, which nobody verified. */
export interface MediaBundle {
  readonly path: string;
  readonly sizeBytes: number;
  readonly modifiedAt?: string;
}

export interface UpdateEvent {
  readonly cursor: string;
  readonly type: 'progress' | 'result';
  readonly update: Update;
}

export interface InstallRequest {
  readonly source: BundleSource;
  readonly rebootPolicy: 'automatic' | 'manual';
  readonly force: boolean;
  readonly allowDowngrade: boolean;
  /** 0 for as many as there come. */
  readonly bytesPerSecond: number;
  /** Whether the node keeps the file of its client, for other nodes, until its next update ends. */
  readonly keepBundle?: boolean;
  /** Empty for at once. */
  readonly window: string;
  readonly urlAccess?: UrlAccess;
  /** A UUID: asking again with the same one is the same update. */
  readonly operationId?: string;
  readonly rolloutFence?: RolloutFence;
}

/** What the server of a URL wants to see. */
export interface UrlAccess {
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  /** PEM; both or none. */
  readonly clientCertificate: string;
  readonly clientKey: string;
}
