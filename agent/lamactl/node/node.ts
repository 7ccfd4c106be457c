// SPDX-License-Identifier: Apache-2.0
import type { Identity } from '../../shared/tls.ts';
import type { ClaimedIdentity } from '../attest/enrolment.ts';
import type { Bank } from '../attest/tpm/algorithms.ts';
import type { Credential } from '../attest/tpm/make-credential.ts';
import type { BundleFile } from './bundle-file.ts';
import type { AccessCalls } from './node-access.ts';
import type { DiskUsage, Inventory, Protection, Unit, UnitFilter } from './node-details.ts';
import type { Checks, Device, Health } from './node-device.ts';
import type { EventQuery, NodeEvent } from './node-event.ts';
import type { LogEntry, LogQuery } from './node-log.ts';
import type { KnownRollout, RolloutClaim, RolloutCopy, RolloutFence, RolloutWrite } from './node-rollout.ts';
import type { BundleSource, Inspection, InstallRequest, MediaBundle, Update, UpdateEvent } from './node-update.ts';

/*
 * A node as lamactl sees it: the port through which it is asked, and its answers as plain data. The answers are also the
 * JSON that lamactl prints (docs/LAMACTL.md): names of proto3 JSON, enum values without their prefix, times in RFC 3339.
 */

/** A quote of PCR 0 to 15 and the logs of what was measured, raw, with both ends of the session in which they came. */
export interface NodeQuote {
  /** TPMS_ATTEST. */
  readonly attest: Buffer;
  /** TPMT_SIGNATURE. */
  readonly signature: Buffer;
  readonly pcrValues: readonly Buffer[];
  readonly logs: { readonly firmware: Buffer; readonly userspace: Buffer; readonly ima: Buffer };
  readonly serverCertificateSha256: Buffer;
  readonly clientCertificateSha256: Buffer;
}

/** How a node stands. */
export interface NodeStatus {
  readonly device: Device;
  readonly health: Health;
  /** Of the update that is under way or, with none, the last one. */
  readonly update?: Update;
}

/** What a node is and how it fares. */
export interface DeviceCalls {
  status(): Promise<NodeStatus>;
  device(): Promise<Device>;
  /** Returns the id of the boot that is about to end. */
  reboot(only?: OnlyIf): Promise<string>;
  health(): Promise<Health>;
  runChecks(): Promise<Checks>;
  /** What was found before, or, refreshed, what is found now. */
  inventory(refresh: boolean): Promise<Inventory>;
  protections(): Promise<readonly Protection[]>;
  diskUsage(): Promise<DiskUsage>;
  units(filter: UnitFilter): Promise<readonly Unit[]>;
  /** Returns the unit once it runs again. */
  restartUnit(name: string): Promise<Unit>;
}

/** What a node wrote down. */
export interface RecordCalls {
  /** Has the connection's deadline as a whole, unless it follows: then it lives as long as the signal lets it. */
  readLog(query: LogQuery): AsyncIterable<LogEntry>;
  /** Likewise. */
  events(query: EventQuery): AsyncIterable<NodeEvent>;
  /** Every line that the node keeps of its audit log, oldest first. */
  auditLog(): AsyncIterable<string>;
}

/** A command of a rollout's runner: for this update alone, and only as long as no other runner holds the rollout. */
interface OnlyIf {
  readonly operationId: string;
  readonly rolloutFence: RolloutFence;
}

export interface UpdateCalls {
  /** Returns the operation's id; so does rollBack. */
  install(request: InstallRequest): Promise<string>;
  rollBack(message: string, only?: OnlyIf): Promise<string>;
  /** Each of the three is for the update that is under way, and returns its id. */
  pause(): Promise<string>;
  resume(): Promise<string>;
  cancel(message: string, only?: OnlyIf): Promise<string>;
  inspect(source: BundleSource): Promise<Inspection>;
  mediaBundles(): Promise<readonly MediaBundle[]>;
  /** The update with that id; with an empty one, the last. Undefined when no update was ever asked for. */
  update(operationId: string): Promise<Update | undefined>;
  /** Ended updates, newest first, at most `limit`. */
  updates(limit: number): Promise<readonly Update[]>;
  /** Ends with the result, or early when the connection breaks. Without a deadline: it lives as long as the signal lets it. */
  watch(operationId: string, afterCursor: string): AsyncIterable<UpdateEvent>;
}

export interface ServeCalls {
  /** Gives the node the parts of the bundle that it asks for. Without a deadline; ends when the node, or the signal, ends it. */
  serveBundle(operationId: string, file: BundleFile): Promise<void>;
}

export interface RolloutCalls {
  /** Has the node refuse every older runner, and tells what was written. */
  takeRollout(claim: RolloutClaim): Promise<RolloutCopy>;
  putRollout(write: RolloutWrite): Promise<void>;
  rollout(id: string): Promise<RolloutCopy>;
  rollouts(): Promise<readonly KnownRollout[]>;
}

export interface AttestationCalls {
  /** The keys of its TPM, as it says. */
  tpmKeys(): Promise<ClaimedIdentity>;
  /** What its TPM finds in a credential. */
  activate(credential: Credential): Promise<Buffer>;
  quote(nonce: Buffer, bank: Bank): Promise<NodeQuote>;
}

/** An open connection. Every call has the connection's deadline and fails with a Failure that names the node. */
export interface NodeConnection extends DeviceCalls, RecordCalls, UpdateCalls, ServeCalls, RolloutCalls, AttestationCalls, AccessCalls {
  close(): void;
}

/** A node that was selected: where it is, the name in its certificate, and who asks it. */
export interface Target {
  readonly name: string;
  /** `host:port`. */
  readonly address: string;
  readonly tlsName: string;
  /** Of the context file: where it stands, what it is for. */
  readonly labels: Readonly<Record<string, string>>;
  readonly identity: Identity;
}

export interface ConnectOptions {
  /** The deadline of one call. */
  readonly timeoutMs: number;
  /** From when the node is opened: no call with a deadline goes on beyond it. */
  readonly inAllMs?: number;
  /** Cancels every call of the connection. Not to be shared by many nodes: each call listens to it. */
  readonly signal?: AbortSignal;
}

export type Connect = (target: Target, options: ConnectOptions) => Promise<NodeConnection>;
