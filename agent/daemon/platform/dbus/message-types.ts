// SPDX-License-Identifier: Apache-2.0
/** The bus itself as a service. D-Bus Specification, "Message Bus Messages". */
export const BUS = { destination: 'org.freedesktop.DBus', path: '/org/freedesktop/DBus', interface: 'org.freedesktop.DBus' } as const;

export interface MethodCall {
  readonly destination: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  /** D-Bus signature of the arguments; empty without any. */
  readonly signature?: string;
  /** The arguments; a variant is written `new Variant(signature, value)`. */
  readonly body?: readonly unknown[];
}

export interface CallOptions {
  readonly timeoutMs: number;
  /** Ends the waiting, not the work of the service. */
  readonly signal?: AbortSignal;
}

export interface Signal {
  /** The unique name of the sender. */
  readonly sender: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  /** Plain values, see toPlain. */
  readonly body: readonly unknown[];
}

/** Which signals are wanted. Without path or member: of every object, with any name. */
export interface SignalMatch {
  /** A well-known name (whoever owns it at the time) or a unique one. */
  readonly sender: string;
  readonly interface: string;
  readonly path?: string;
  readonly member?: string;
  /** The first argument, when it is a string. */
  readonly arg0?: string;
}
