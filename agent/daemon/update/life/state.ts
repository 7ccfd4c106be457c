// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot';

/**
 * What an update is in each phase of its life. The schemas are the journal's format and the types are made from them, so
 * that nothing can be journaled that can't be read back. Times are milliseconds since the epoch.
 */

const text = v.string();
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const percent = v.pipe(v.number(), v.minValue(0), v.maxValue(100));

export const OperationSchema = v.object({
  /** A UUID; RAUC gets it as the transaction's id. */
  id: text,
  source: v.variant('type', [
    v.object({ type: v.literal('path'), path: text }),
    v.object({ type: v.literal('url'), url: text }),
    /** On the disk of the client that asked, which serves it through its own connection. */
    v.object({
      type: v.literal('client'),
      name: text,
      sizeBytes: count,
      sha256: text,
      /** Nodes that keep the same file: asked before the client. */
      peers: v.optional(v.array(v.object({ name: text, address: text }))),
    }),
  ]),
  rebootPolicy: v.picklist(['automatic', 'manual']),
  force: v.boolean(),
  allowDowngrade: v.boolean(),
  /** At most so many bytes a second are fetched; 0 for as many as there come. */
  bytesPerSecond: count,
  /** Whether the client's file stays on the disk after the commit, for other nodes. */
  keepBundle: v.optional(v.boolean()),
  /** When it may start and reboot, as shared/maintenance-window.ts reads it; empty for at once. */
  window: v.optional(text, ''),
  /** Common Name of the certificate that asked. */
  requestedBy: text,
});

const ReasonSchema = v.object({
  /** A FailureCode or a RollbackCode; a text here, so that an older agent can read a newer agent's reason. */
  code: text,
  message: text,
  failedChecks: v.array(text),
});

const CheckRecordSchema = v.object({
  name: text,
  severity: v.picklist(['required', 'advisory']),
  outcome: v.picklist(['pending', 'passed', 'failed', 'timed-out']),
  detail: text,
  attempts: count,
  durationMs: v.number(),
  atMs: v.number(),
});

const BundleSchema = v.object({
  compatible: text,
  version: text,
  description: text,
  build: text,
  format: text,
  manifestHash: text,
  images: v.array(v.object({ slotClass: text, sizeBytes: count })),
});

const SlotReferenceSchema = v.object({ name: text, bootname: text });

const asked = {
  operation: OperationSchema,
  /** How much of the bundle came from elsewhere so far; null where it lies on the node. */
  fetched: v.nullable(v.object({ bytes: count, sizeBytes: count })),
  phaseChanges: v.array(v.object({ phase: text, atMs: v.number() })),
};

const inspected = {
  ...asked,
  bundle: BundleSchema,
  /** Where RAUC reads the bundle: a path on the node or a URL. */
  location: text,
  sourceSlot: SlotReferenceSchema,
  targetSlot: SlotReferenceSchema,
  /** The boot during which the target slot was written and armed; the target itself always runs under another boot id. */
  armedBootId: text,
};

/** What a phase has beyond what was asked. */
const beyondAsked = ({ operation: _o, fetched: _f, phaseChanges: _p, ...rest }: typeof inspected) => rest;

const onTrial = {
  ...inspected,
  /** The boots into the target slot, in order. */
  trialBootIds: v.array(text),
  /** How often an agent began this trial: once a boot, and once more whenever it was restarted. */
  attempts: count,
  checks: v.array(CheckRecordSchema),
};

const phase = <const P extends string, const E extends v.ObjectEntries>(name: P, entries: E) =>
  v.object({ phase: v.literal(name), ...entries });

export const UpdateStateSchema = v.variant('phase', [
  phase('idle', {}),
  /** Waits for its window; `opensAtMs` is null until the clock can be relied on. */
  phase('scheduled', { ...asked, opensAtMs: v.nullable(v.number()) }),
  /** Held by an administrator; `written` once the target slot is. */
  phase('paused', { ...asked, written: v.nullable(v.object(beyondAsked(inspected))) }),
  /** `heldUp` says why the source is waited for; empty when it is not. */
  phase('downloading', { ...asked, heldUp: v.optional(text, '') }),
  phase('inspecting', { ...asked, location: text }),
  phase('installing', {
    ...inspected,
    percent,
    message: text,
    cancelled: v.nullable(ReasonSchema),
    pausing: v.optional(v.boolean(), false),
  }),
  phase('installed', inspected),
  phase('activating', inspected),
  phase('pending-reboot', inspected),
  phase('trial', onTrial),
  phase('checking', onTrial),
  phase('committing', onTrial),
  phase('committed', onTrial),
  phase('rolling-back', { ...onTrial, reason: ReasonSchema, onTarget: v.boolean(), rollbackAttempts: count }),
  phase('rolled-back', { ...onTrial, reason: ReasonSchema, failedBootLog: text }),
  phase('failed', { ...asked, bundle: v.nullable(BundleSchema), targetSlot: v.nullable(SlotReferenceSchema), reason: ReasonSchema }),
]);

export type UpdateState = v.InferOutput<typeof UpdateStateSchema>;
export type Phase = UpdateState['phase'];
export type StateOf<P extends Phase> = Extract<UpdateState, { phase: P }>;

export type Operation = v.InferOutput<typeof OperationSchema>;
export type Reason = v.InferOutput<typeof ReasonSchema>;
export type CheckRecord = v.InferOutput<typeof CheckRecordSchema>;
export type SlotReference = v.InferOutput<typeof SlotReferenceSchema>;

/** An update that somebody asked for: every state but idle. */
export type Update = Exclude<UpdateState, { phase: 'idle' }>;

export const PHASES = UpdateStateSchema.options.map((option) => option.entries.phase.literal) as readonly Phase[];

const ENDED = ['committed', 'rolled-back', 'failed'] as const satisfies readonly Phase[];
export type EndedUpdate = StateOf<(typeof ENDED)[number]>;

export function isEnded(state: UpdateState): state is EndedUpdate {
  return (ENDED as readonly Phase[]).includes(state.phase);
}

/** Whether no update is under way. */
export const isSettled = (state: UpdateState): boolean => state.phase === 'idle' || isEnded(state);

/** Whether the booted slot is not committed yet, or about to be left: an update decides about it, and not the boot by itself. */
export function isTrial(state: UpdateState): boolean {
  if (state.phase === 'rolling-back') return state.onTarget;
  return state.phase === 'trial' || state.phase === 'checking' || state.phase === 'committing';
}
