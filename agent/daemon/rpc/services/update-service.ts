// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../../shared/failure.ts';
import type { lamadist } from '../../../shared/gen/messages.js';
import type { UpdateServiceHandlers } from '../../../shared/gen/services.ts';
import type { BundleAccess, BundleAccessStore } from '../../delivery/bundle-access.ts';
import type { BundleDelivery } from '../../delivery/bundle-delivery.ts';
import type { ClientOffers } from '../../delivery/client-offers.ts';
import type { MediaBundle } from '../../delivery/media-bundles.ts';
import type { RolloutRegisters } from '../../rollout/registers.ts';
import type { Clock } from '../../timing/clock.ts';
import type { Feed } from '../../update/feed.ts';
import type { Installer } from '../../update/installer.ts';
import { isEnded, type Operation, type Update, type UpdateState } from '../../update/life/state.ts';
import type { CurrentBoot } from '../../update/ports.ts';
import type { History } from '../../update/records/history.ts';
import type { NewEvent, Updater } from '../../update/updater.ts';
import type { Callers } from '../callers.ts';
import { type CallContext, serverStream, unary } from '../handlers.ts';
import { bundleMessage, timestamp, updateMessage } from '../messages/update-message.ts';
import { bundleSource } from './bundle-source.ts';
import { installation } from './installation.ts';
import { readBundle } from './read-bundle.ts';
import { requireLast } from './require-last.ts';
import { guarded } from './rollout-service.ts';
import { serveBundle } from './serve-bundle.ts';

export interface UpdateServiceParts {
  readonly updater: Pick<Updater, 'submit' | 'state' | 'failedHere'>;
  readonly feed: Feed<UpdateState>;
  readonly history: Pick<History, 'find' | 'page'>;
  readonly installer: Pick<Installer, 'inspect' | 'compatible' | 'slots'>;
  readonly callers: Callers;
  readonly boot: CurrentBoot;
  readonly offers: ClientOffers;
  readonly delivery: Pick<BundleDelivery, 'kept'>;
  readonly access: Pick<BundleAccessStore, 'keep' | 'forget'>;
  readonly mediaBundles: () => Promise<readonly MediaBundle[]>;
  readonly clock: Clock;
  /** Whether RAUC can stream here. */
  readonly canStream: boolean;
  readonly newId: () => string;
  readonly rollouts: Pick<RolloutRegisters, 'guard'>;
}

type Messages = typeof lamadist.agent.v1;
type Request<N extends keyof Messages> = Messages[N] extends { decode(...args: never[]): infer M } ? M : never;

const MAX_MESSAGE_LENGTH = 1000;
const DEFAULT_PAGE = 20;
const MAX_PAGE = 100;

export function updateService(parts: UpdateServiceParts): UpdateServiceHandlers {
  const { updater, installer, history } = parts;
  return {
    installBundle: unary(async (request, context) => {
      const { operation, access } = installation(request, parts.newId, parts.callers.of(context.authContext).name);
      return guarded(parts.rollouts, request.rolloutFence, async () => {
        const isChosen = request.operationId !== '';
        if (isChosen && (await isKnown(parts, operation.id))) return { operationId: operation.id };
        // Who chose an id follows that one, and no other.
        const waiting = isChosen ? undefined : waitingFor(operation, updater.state);
        return { operationId: waiting ?? (await begin(parts, operation, access)) };
      });
    }),

    pauseUpdate: unary(({ operationId }) => command(updater, operationId, { type: 'pause-requested' })),

    resumeUpdate: unary(({ operationId }) => command(updater, operationId, { type: 'resume-requested' })),

    cancelUpdate: unary(({ operationId, message, rolloutFence }) =>
      guarded(parts.rollouts, rolloutFence, () =>
        command(updater, operationId, { type: 'cancel-requested', message: message.slice(0, MAX_MESSAGE_LENGTH) }),
      ),
    ),

    inspectBundle: unary(async (request, { signal }) => {
      const source = bundleSource(request.source);
      const bundle = await installer.inspect(inspectable(source, parts.canStream), signal);
      const compatibleWithNode = (await installer.compatible(signal)) === bundle.compatible;
      return { bundle: bundleMessage(bundle), compatibleWithNode, failedHere: updater.failedHere(bundle.version) !== undefined };
    }),

    serveBundle: serveBundle(parts.offers, updater, parts.clock),

    readBundle: readBundle({ updater, callers: parts.callers, kept: (file) => parts.delivery.kept(file) }),

    listMediaBundles: unary(async () => {
      const found = await parts.mediaBundles();
      return {
        bundles: found.map(({ path, sizeBytes, modifiedAt }) => ({ path, sizeBytes, modifiedAt: timestamp(modifiedAt.getTime()) })),
      };
    }),

    watchUpdate: serverStream((request, context) => watch(parts, request, context)),

    getUpdate: unary(async (request) => {
      const update = await findUpdate(parts, request.operationId);
      return update ? { update: updateMessage(update) } : {};
    }),

    rollBack: unary(async ({ message, operationId, rolloutFence }, { signal }) => {
      const { bootname } = parts.boot;
      requireLast(updater.state, operationId);
      // Only a committed update is left for the other slot as it is; and RAUC tells nothing about slots while it writes one.
      const slots = updater.state.phase === 'committed' ? await installer.slots(signal) : [];
      const otherSlotGood = slots.some((slot) => slot.bootname !== bootname && slot.bootStatus === 'good');
      const why = message.slice(0, MAX_MESSAGE_LENGTH);
      return guarded(parts.rollouts, rolloutFence, () =>
        command(updater, operationId, { type: 'rollback-requested', message: why, bootname, otherSlotGood }),
      );
    }),

    listUpdates: unary(async (request) => {
      const size = Math.min(request.pageSize > 0 ? request.pageSize : DEFAULT_PAGE, MAX_PAGE);
      const { updates, next } = await history.page(size, request.pageToken);
      return { updates: updates.map(updateMessage), nextPageToken: next };
    }),
  };
}

/** Resolves with the operation's id once it is accepted. */
async function begin({ updater, access }: UpdateServiceParts, operation: Operation, given: BundleAccess | undefined): Promise<string> {
  // Before the operation itself: once that is accepted, it goes on by itself after any restart.
  if (given) await access.keep(operation.id, given);
  try {
    await updater.submit({ type: 'install-requested', operation });
  } catch (error) {
    if (given) await access.forget(operation.id);
    throw error;
  }
  return operation.id;
}

/** Tells the update that is under way to do something; with an id, only if it is that one. */
async function command(
  updater: Pick<Updater, 'submit' | 'state'>,
  operationId: string,
  event: NewEvent,
): Promise<{ readonly operationId: string }> {
  requireLast(updater.state, operationId);
  await updater.submit(event);
  return { operationId: updater.state.phase === 'idle' ? '' : updater.state.operation.id };
}

/** Whether the client asks again for an update that it chose the id of. */
async function isKnown({ updater: { state }, history }: UpdateServiceParts, operationId: string): Promise<boolean> {
  if (state.phase !== 'idle' && state.operation.id === operationId) return true;
  return (await history.find(operationId)) !== undefined;
}

/** What an operation is asked for with, in the words of the API, beside its bundle. */
const ASKED_WITH = [
  ['reboot_policy', ({ rebootPolicy }) => rebootPolicy],
  ['force', ({ force }) => force],
  ['allow_downgrade', ({ allowDowngrade }) => allowDowngrade],
  ['keep_bundle', ({ keepBundle }) => keepBundle === true],
  ['bytes_per_second', ({ bytesPerSecond }) => bytesPerSecond],
] as const satisfies readonly (readonly [string, (operation: Operation) => unknown])[];

/**
 * The operation that waits for this very file: its client went away, and comes back by asking again. It goes on as it was asked
 * for at first, so asking in another way is refused with UPDATE_IN_PROGRESS.
 */
function waitingFor(asked: Operation, state: UpdateState): string | undefined {
  const { source } = asked;
  if (source.type !== 'client' || (state.phase !== 'downloading' && state.phase !== 'paused')) return undefined;
  const { operation } = state;
  if (operation.source.type !== 'client' || operation.source.sha256 !== source.sha256) return undefined;
  // Who says nothing of the rate has nothing against the one that was asked for.
  const bytesPerSecond = asked.bytesPerSecond || operation.bytesPerSecond;
  const other = ASKED_WITH.find(([, value]) => value({ ...asked, bytesPerSecond }) !== value(operation));
  if (!other) return operation.id;
  const [field, value] = other;
  const found = `the same file is under way with ${field} ${value(operation)}, and not ${value(asked)}: repeat it as it was, or cancel it first`;
  throw new Failure('UPDATE_IN_PROGRESS', `Cannot install: ${found}`, { field, operation_id: operation.id });
}

function inspectable(source: Operation['source'], canStream: boolean): string {
  if (source.type === 'path') return source.path;
  if (source.type === 'url' && canStream) return source.url;
  throw new Failure('INVALID_REQUEST', 'Cannot inspect the bundle: it does not lie on the node, and this node cannot stream it');
}

/** By its id, or with none the one that is under way or ended last. */
async function findUpdate({ updater, history }: UpdateServiceParts, operationId: string): Promise<Update | undefined> {
  const { state } = updater;
  if (state.phase !== 'idle' && (operationId === '' || state.operation.id === operationId)) return state;
  if (operationId === '') return undefined;
  const ended = await history.find(operationId);
  if (!ended) throw new Failure('UPDATE_NOT_FOUND', `Cannot find the update: this node knows no operation "${operationId}"`);
  return ended;
}

async function* watch(
  parts: UpdateServiceParts,
  request: Request<'WatchUpdateRequest'>,
  { signal }: CallContext,
): AsyncGenerator<lamadist.agent.v1.WatchUpdateResponse.$Properties> {
  const first = await findUpdate(parts, request.operationId);
  if (!first) throw new Failure('UPDATE_NOT_FOUND', 'Cannot watch: no update was ever asked for on this node');
  if (isEnded(first)) return yield { cursor: '', result: updateMessage(first) };
  const watched = first.operation.id;
  for await (const { cursor, value } of parts.feed.follow(request.afterCursor, signal)) {
    if (value.phase === 'idle' || value.operation.id !== watched) {
      const ended = await parts.history.find(watched);
      if (!ended) throw new Failure('UPDATE_NOT_FOUND', `Cannot watch any longer: the end of operation "${watched}" is not on record`);
      return yield { cursor, result: updateMessage(ended) };
    }
    if (isEnded(value)) return yield { cursor, result: updateMessage(value) };
    yield { cursor, progress: updateMessage(value) };
  }
}
