// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../../shared/failure.ts';
import { lamadist } from '../../../shared/gen/messages.js';
import { parseWindow } from '../../../shared/maintenance-window.ts';
import type { BundleAccess } from '../../delivery/bundle-access.ts';
import type { Operation } from '../../update/life/state.ts';
import { urlAccess, withoutQuery } from '../messages/url-access.ts';
import { bundleSource } from './bundle-source.ts';

type Request = lamadist.agent.v1.InstallBundleRequest & lamadist.agent.v1.InstallBundleRequest.$Shape;

export interface Installation {
  readonly operation: Operation;
  readonly access: BundleAccess | undefined;
}

const MAX_WINDOW_LENGTH = 100;

/** A UUID: it names a file, and RAUC's transaction. */
const OPERATION_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** What a request to install asks for. Throws INVALID_REQUEST with the field. */
export function installation(request: Request, newId: () => string, requestedBy: string): Installation {
  const source = bundleSource(request.source);
  if (request.operationId !== '' && !OPERATION_ID.test(request.operationId)) throw invalid('operation_id', 'the operation id is no UUID');
  const operation: Operation = {
    id: request.operationId === '' ? newId() : request.operationId,
    source: withoutQuery(source),
    rebootPolicy: request.rebootPolicy === lamadist.agent.v1.RebootPolicy.REBOOT_POLICY_MANUAL ? 'manual' : 'automatic',
    force: request.force,
    allowDowngrade: request.allowDowngrade,
    bytesPerSecond: Math.max(request.bytesPerSecond, 0),
    ...(request.keepBundle && { keepBundle: kept(source) }),
    window: windowOf(request.window, source),
    requestedBy,
  };
  return { operation, access: urlAccess(request.urlAccess, source) };
}

/** What lies behind a URL, or on the node, other nodes can reach without this one. */
function kept(source: Operation['source']): true {
  if (source.type !== 'client') throw invalid('keep_bundle', 'only a file that the client brings can be kept for other nodes');
  return true;
}

function windowOf(text: string, source: Operation['source']): string {
  if (text === '') return '';
  if (text.length > MAX_WINDOW_LENGTH || !parseWindow(text)) {
    throw invalid('window', `"${text.slice(0, MAX_WINDOW_LENGTH)}" is no window such as "Sat 02:00-05:00 Europe/Berlin"`);
  }
  if (source.type === 'client')
    throw invalid('window', "a file of the client's cannot wait for a window: name a URL, or a path on the node");
  return text;
}

const invalid = (field: string, found: string): Failure => new Failure('INVALID_REQUEST', `Cannot install: ${found}`, { field });
