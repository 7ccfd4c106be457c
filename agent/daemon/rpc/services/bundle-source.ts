// SPDX-License-Identifier: Apache-2.0
import { isAbsolute } from 'node:path';
import { Failure } from '../../../shared/failure.ts';
import type { lamadist } from '../../../shared/gen/messages.js';
import type { Operation } from '../../update/life/state.ts';

type Source = lamadist.agent.v1.BundleSource.$Properties | null | undefined;
type ClientBundle = lamadist.agent.v1.ClientBundle.$Properties;

const MAX_LOCATION_LENGTH = 4096;
const MAX_NAME_LENGTH = 255;
const MAX_PEERS = 64;

/** Where a request says that its bundle lies. Throws INVALID_REQUEST. */
export function bundleSource(source: Source): Operation['source'] {
  if (source?.client) return clientSource(source.client);
  if (source?.path) return pathSource(source.path);
  if (source?.url) return urlSource(source.url);
  throw invalid('the request names no path, no URL and no file of its own');
}

const invalid = (found: string): Failure => new Failure('INVALID_REQUEST', `Cannot install: ${found}`, { field: 'source' });

function pathSource(path: string): Operation['source'] {
  requireShort(path);
  if (!isAbsolute(path) || path.includes('\0')) throw invalid(`"${path}" is not an absolute path on the node`);
  return { type: 'path', path };
}

function urlSource(text: string): Operation['source'] {
  requireShort(text);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'https:') throw invalid('the URL is not an https: URL');
  if (url.username || url.password) throw invalid('the URL holds credentials, which would end up in logs');
  return { type: 'url', url: url.href };
}

function clientSource(bundle: ClientBundle): Operation['source'] {
  const [name, sizeBytes, sha256] = [bundle.name ?? '', bundle.sizeBytes ?? 0, bundle.sha256 ?? ''];
  if (!(sizeBytes > 0) || !Number.isSafeInteger(sizeBytes)) throw invalid(`a file of ${sizeBytes} bytes is no bundle`);
  if (!/^[0-9a-f]{64}$/.test(sha256)) throw invalid('the SHA-256 of the file is not 64 hexadecimal digits');
  const peers = (bundle.peers ?? []).map(peer);
  if (peers.length > MAX_PEERS) throw invalid(`it names ${peers.length} nodes to fetch from, and ${MAX_PEERS} are the most`);
  return { type: 'client', name: name.slice(0, MAX_NAME_LENGTH), sizeBytes, sha256, ...(peers.length > 0 && { peers }) };
}

function peer({ name, address }: lamadist.agent.v1.Peer.$Properties): { name: string; address: string } {
  if (!name) throw invalid('a node to fetch from has no name');
  if (name.length > MAX_NAME_LENGTH) throw invalid(`the name of a node to fetch from has ${name.length} characters`);
  if (!address || !/^(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]{1,253}):\d{1,5}$/.test(address))
    throw invalid(`the address of the node ${name} is no host:port`);
  return { name, address };
}

function requireShort(location: string): void {
  if (location.length > MAX_LOCATION_LENGTH) throw invalid(`the source is longer than ${MAX_LOCATION_LENGTH} characters`);
}
