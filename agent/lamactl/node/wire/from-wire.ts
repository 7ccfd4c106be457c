// SPDX-License-Identifier: Apache-2.0
import type { lamadist } from '../../../shared/gen/messages.js';
import type { CheckResult, Checks, Device, Health, Slot } from '../node-device.ts';
import type { Bundle, BundleSource, Inspection, MediaBundle, Update, UpdateEvent } from '../node-update.ts';
import { BOOT_STATUSES, OUTCOMES, PHASES, REACHABILITIES, REBOOT_POLICIES, SEVERITIES, VERDICTS } from './wire-names.ts';
import { duration, named, present, text, time } from './wire-values.ts';

/*
 * The messages of the protocol as lamactl's plain data. Every text passes through `text`, so that nothing that a node
 * says can drive the terminal of its administrator.
 */

export function deviceFromWire(device: lamadist.agent.v1.Device.$Properties): Device {
  return {
    hostname: text(device.hostname),
    machineId: text(device.machineId),
    bootId: text(device.bootId),
    ...present('bootedAt', device.bootedAt, time),
    imageId: text(device.imageId),
    imageVersion: text(device.imageVersion),
    kernelRelease: text(device.kernelRelease),
    architecture: text(device.architecture),
    agentVersion: text(device.agentVersion),
    compatible: text(device.compatible),
    slots: (device.slots ?? []).map(slot),
    rauc: named(REACHABILITIES, device.rauc),
    bus: named(REACHABILITIES, device.bus),
  };
}

function slot(slot: lamadist.agent.v1.Slot.$Properties): Slot {
  return {
    name: text(slot.name),
    bootname: text(slot.bootname),
    device: text(slot.device),
    booted: slot.booted ?? false,
    primary: slot.primary ?? false,
    bootStatus: named(BOOT_STATUSES, slot.bootStatus),
    version: text(slot.version),
    status: text(slot.status),
    ...present('installedAt', slot.installedAt, time),
  };
}

export function healthFromWire(health: lamadist.agent.v1.GetHealthResponse.$Properties): Health {
  return { verdict: named(VERDICTS, health.verdict), ...checksFromWire(health) };
}

export function checksFromWire({ checks, brokenChecks }: lamadist.agent.v1.RunChecksResponse.$Properties): Checks {
  return {
    checks: (checks ?? []).map(check),
    brokenChecks: (brokenChecks ?? []).map(({ file, line, field, message }) => {
      return { file: text(file), line: line ?? 0, field: text(field), message: text(message) };
    }),
  };
}

function check(result: lamadist.agent.v1.CheckResult.$Properties): CheckResult {
  return {
    name: text(result.name),
    severity: named(SEVERITIES, result.severity),
    outcome: named(OUTCOMES, result.outcome),
    detail: text(result.detail),
    attempts: result.attempts ?? 0,
    ...present('duration', result.duration, duration),
    ...present('at', result.at, time),
  };
}

export function inspectionFromWire(response: lamadist.agent.v1.InspectBundleResponse.$Properties): Inspection {
  return {
    bundle: bundle(response.bundle ?? {}),
    compatibleWithNode: response.compatibleWithNode ?? false,
    failedHere: response.failedHere ?? false,
  };
}

function bundle(bundle: lamadist.agent.v1.Bundle.$Properties): Bundle {
  return {
    compatible: text(bundle.compatible),
    version: text(bundle.version),
    description: text(bundle.description),
    build: text(bundle.build),
    format: text(bundle.format),
    manifestHash: text(bundle.manifestHash),
  };
}

export function mediaBundleFromWire({ path, sizeBytes, modifiedAt }: lamadist.agent.v1.MediaBundle.$Properties): MediaBundle {
  return { path: text(path), sizeBytes: sizeBytes ?? 0, ...present('modifiedAt', modifiedAt, time) };
}

export function updateFromWire(update: lamadist.agent.v1.Update.$Properties): Update {
  return {
    operationId: text(update.operationId),
    phase: named(PHASES, update.phase),
    ...present('source', update.source, source),
    ...present('bundle', update.bundle, bundle),
    ...present('fetched', update.fetched, ({ fetchedBytes, bundleBytes }) => ({
      fetchedBytes: fetchedBytes ?? 0,
      bundleBytes: bundleBytes ?? 0,
    })),
    sourceSlot: text(update.sourceSlot),
    targetSlot: text(update.targetSlot),
    ...present('progress', update.progress, ({ percent, message }) => ({ percent: percent ?? 0, message: text(message) })),
    requestedBy: text(update.requestedBy),
    rebootPolicy: named(REBOOT_POLICIES, update.rebootPolicy),
    force: update.force ?? false,
    window: text(update.window),
    ...present('startsAt', update.startsAt, time),
    pausing: update.pausing ?? false,
    phaseChanges: (update.phaseChanges ?? []).map((change) => ({
      phase: named(PHASES, change.phase),
      ...present('at', change.at, time),
    })),
    checks: (update.checks ?? []).map(check),
    ...present('reason', update.reason, ({ code, message, remedy, failedChecks }) => ({
      code: text(code),
      message: text(message),
      remedy: text(remedy),
      failedChecks: (failedChecks ?? []).map(text),
    })),
    trialBootIds: (update.trialBootIds ?? []).map(text),
    failedBootLog: text(update.failedBootLog),
  };
}

/** Undefined for an event of a kind that this version does not know. */
export function updateEventFromWire(response: lamadist.agent.v1.WatchUpdateResponse.$Properties): UpdateEvent | undefined {
  const cursor = response.cursor ?? '';
  if (response.result) return { cursor, type: 'result', update: updateFromWire(response.result) };
  if (response.progress) return { cursor, type: 'progress', update: updateFromWire(response.progress) };
  return undefined;
}

function source(source: lamadist.agent.v1.BundleSource.$Properties): BundleSource {
  if (source.client) {
    const { name, sizeBytes, sha256 } = source.client;
    return { client: { name: text(name), sizeBytes: sizeBytes ?? 0, sha256: text(sha256) } };
  }
  return source.url ? { url: text(source.url) } : { path: text(source.path) };
}
