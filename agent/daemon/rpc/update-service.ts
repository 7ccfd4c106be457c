// SPDX-License-Identifier: Apache-2.0
import { isAbsolute } from 'node:path';
import { Failure } from '../../shared/failure.ts';
import { lamadist } from '../../shared/gen/messages.js';
import type { UpdateServiceHandlers } from '../../shared/gen/services.ts';
import type { Feed } from '../update/feed.ts';
import type { History } from '../update/history.ts';
import type { Installer } from '../update/installer.ts';
import type { CurrentBoot } from '../update/ports.ts';
import { isEnded, type Operation, type Update, type UpdateState } from '../update/state.ts';
import type { Updater } from '../update/updater.ts';
import type { Callers } from './callers.ts';
import { type CallContext, serverStream, unary } from './handlers.ts';
import { bundleMessage, updateMessage } from './update-message.ts';

export interface UpdateServiceParts {
  readonly updater: Pick<Updater, 'submit' | 'state' | 'failedHere'>;
  readonly feed: Feed<UpdateState>;
  readonly history: Pick<History, 'find' | 'page'>;
  readonly installer: Pick<Installer, 'inspect' | 'compatible' | 'slots'>;
  readonly callers: Callers;
  readonly boot: CurrentBoot;
  /** Whether RAUC can stream here; where it can't, a bundle behind a URL is fetched first. */
  readonly canStream: boolean;
  readonly newId: () => string;
}

type Messages = typeof lamadist.agent.v1;
type Request<N extends keyof Messages> = Messages[N] extends { decode(...args: never[]): infer M } ? M : never;
type Source = lamadist.agent.v1.BundleSource.$Properties | null | undefined;

const MAX_LOCATION_LENGTH = 4096;
const MAX_MESSAGE_LENGTH = 1000;
const DEFAULT_PAGE = 20;
const MAX_PAGE = 100;

export function updateService(parts: UpdateServiceParts): UpdateServiceHandlers {
  const { updater, installer, history } = parts;
  return {
    installBundle: unary(async (request, context) => {
      const source = bundleSource(request.source);
      const operation: Operation = {
        id: parts.newId(),
        source,
        rebootPolicy: request.rebootPolicy === lamadist.agent.v1.RebootPolicy.REBOOT_POLICY_MANUAL ? 'manual' : 'automatic',
        force: request.force,
        requestedBy: parts.callers.of(context.authContext).name,
      };
      const delivery = source.type === 'url' && !parts.canStream ? 'spooled' : 'direct';
      await updater.submit({ type: 'install-requested', operation, delivery });
      return { operationId: operation.id };
    }),

    inspectBundle: unary(async (request, { signal }) => {
      const source = bundleSource(request.source);
      if (source.type === 'url' && !parts.canStream) {
        throw new Failure('INVALID_REQUEST', 'Cannot inspect a URL: this node has no network block device, so RAUC cannot stream');
      }
      const bundle = await installer.inspect(source.type === 'url' ? source.url : source.path, signal);
      const compatibleWithNode = (await installer.compatible(signal)) === bundle.compatible;
      return { bundle: bundleMessage(bundle), compatibleWithNode, failedHere: updater.failedHere(bundle.version) !== undefined };
    }),

    watchUpdate: serverStream((request, context) => watch(parts, request, context)),

    getUpdate: unary(async (request) => {
      const update = await findUpdate(parts, request.operationId);
      return update ? { update: updateMessage(update) } : {};
    }),

    rollBack: unary(async (request, { signal }) => {
      const message = request.message.slice(0, MAX_MESSAGE_LENGTH);
      const { bootname } = parts.boot;
      // Only a committed update is left for the other slot as it is; and RAUC tells nothing about slots while it writes one.
      const slots = updater.state.phase === 'committed' ? await installer.slots(signal) : [];
      const otherSlotGood = slots.some((slot) => slot.bootname !== bootname && slot.bootStatus === 'good');
      await updater.submit({ type: 'rollback-requested', message, bootname, otherSlotGood });
      const { state } = updater;
      return { operationId: state.phase === 'idle' ? '' : state.operation.id };
    }),

    listUpdates: unary(async (request) => {
      const size = Math.min(request.pageSize > 0 ? request.pageSize : DEFAULT_PAGE, MAX_PAGE);
      const { updates, next } = await history.page(size, request.pageToken);
      return { updates: updates.map(updateMessage), nextPageToken: next };
    }),
  };
}

function bundleSource(source: Source): Operation['source'] {
  const invalid = (found: string) => new Failure('INVALID_REQUEST', `Cannot install: ${found}`, { field: 'source' });
  const location = source?.path || source?.url || '';
  if (location.length > MAX_LOCATION_LENGTH) throw invalid(`the source is longer than ${MAX_LOCATION_LENGTH} characters`);
  if (source?.path) {
    if (!isAbsolute(source.path) || source.path.includes('\0')) throw invalid(`"${source.path}" is not an absolute path on the node`);
    return { type: 'path', path: source.path };
  }
  if (!source?.url) throw invalid('the request names no path and no URL');
  const url = URL.canParse(source.url) ? new URL(source.url) : undefined;
  if (url?.protocol !== 'https:') throw invalid('the URL is not an https: URL');
  if (url.username || url.password) throw invalid('the URL holds credentials, which would end up in logs');
  return { type: 'url', url: url.href };
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
