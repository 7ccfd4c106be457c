// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../shared/failure.ts';
import { lamadist } from '../../shared/gen/messages.js';
import { parseWindow } from '../../shared/maintenance-window.ts';
import type { BundleAccess } from '../delivery/bundle-access.ts';
import type { Operation } from '../update/state.ts';
import { bundleSource } from './bundle-source.ts';
import { urlAccess, withoutQuery } from './url-access.ts';

type Request = lamadist.agent.v1.InstallBundleRequest & lamadist.agent.v1.InstallBundleRequest.$Shape;

export interface Installation {
  readonly operation: Operation;
  readonly access: BundleAccess | undefined;
}

const MAX_WINDOW_LENGTH = 100;

/** What a request to install asks for. Throws INVALID_REQUEST with the field. */
export function installation(request: Request, id: string, requestedBy: string): Installation {
  const source = bundleSource(request.source);
  const operation: Operation = {
    id,
    source: withoutQuery(source),
    rebootPolicy: request.rebootPolicy === lamadist.agent.v1.RebootPolicy.REBOOT_POLICY_MANUAL ? 'manual' : 'automatic',
    force: request.force,
    allowDowngrade: request.allowDowngrade,
    bytesPerSecond: Math.max(request.bytesPerSecond, 0),
    window: windowOf(request.window, source),
    requestedBy,
  };
  return { operation, access: urlAccess(request.urlAccess, source) };
}

function windowOf(text: string, source: Operation['source']): string {
  if (text === '') return '';
  if (text.length > MAX_WINDOW_LENGTH || !parseWindow(text)) {
    throw invalid(`"${text.slice(0, MAX_WINDOW_LENGTH)}" is no window such as "Sat 02:00-05:00 Europe/Berlin"`);
  }
  if (source.type === 'client') throw invalid("a file of the client's cannot wait for a window: name a URL, or a path on the node");
  return text;
}

const invalid = (found: string): Failure => new Failure('INVALID_REQUEST', `Cannot install: ${found}`, { field: 'window' });
