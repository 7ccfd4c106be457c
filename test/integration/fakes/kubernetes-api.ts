// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { CertificateAuthority } from '../../../qemu/pki/certificate-authority.ts';

/*
 * As much of the API server of Kubernetes as `kubectl get node`, `annotate`, `cordon`, `drain` and `uncordon` ask of one, over HTTPS
 * with client certificates. It stands in for k3s, which is no Debian package: it holds kubectl, and what a rollout tells it, to the
 * verbs, paths, types of patches and bodies of the real one, and refuses and remembers everything else.
 */

interface KubernetesNode {
  readonly kind: 'Node';
  readonly apiVersion: 'v1';
  metadata: { name: string; resourceVersion: string; annotations: Record<string, string>; labels?: Readonly<Record<string, string>> };
  spec: { unschedulable?: true };
}

/** Null takes away what is there. */
interface PatchOfMetadata {
  readonly resourceVersion?: string;
  readonly annotations?: Readonly<Record<string, string | null>>;
}

interface Pod {
  readonly name: string;
  readonly node: string;
  readonly owner: 'ReplicaSet' | 'DaemonSet';
  /** A pod disruption budget that allows nothing. */
  isHeld: boolean;
}

const HOST = '127.0.0.1';
/** Of a patch, as kubectl may send it (RFC 7386, and Kubernetes' own). */
const PATCHES = ['application/merge-patch+json', 'application/strategic-merge-patch+json'];

export class KubernetesApi {
  readonly nodes = new Map<string, KubernetesNode>();
  readonly pods: Pod[] = [];
  /** What changed something, in order: "cordon attic", "evict web-attic". */
  readonly changes: string[] = [];
  /** What it does not know, or refused for its form. */
  readonly refused: string[] = [];
  readonly #server: ReturnType<typeof createServer>;

  private constructor(
    private readonly authority: CertificateAuthority,
    server: { readonly certificate: string; readonly key: string },
  ) {
    const tls = { cert: server.certificate, key: server.key, ca: authority.certificate, requestCert: true, rejectUnauthorized: true };
    this.#server = createServer(tls, (request, response) => void this.#answer(request, response));
  }

  /** A cluster of nodes, each with a pod that may leave, and one of a DaemonSet, which stays. */
  static async start(...names: readonly string[]): Promise<KubernetesApi> {
    const authority = await CertificateAuthority.create('cluster');
    const api = new KubernetesApi(authority, await authority.issue({ commonName: 'api', purpose: 'server', ipAddresses: [HOST] }));
    for (const name of names) {
      api.nodes.set(name, { kind: 'Node', apiVersion: 'v1', metadata: { name, resourceVersion: '1', annotations: {} }, spec: {} });
      api.pods.push({ name: `web-${name}`, node: name, owner: 'ReplicaSet', isHeld: false });
      api.pods.push({ name: `logs-${name}`, node: name, owner: 'DaemonSet', isHeld: false });
    }
    api.#server.listen(0, HOST);
    await once(api.#server, 'listening');
    return api;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  node(name: string): KubernetesNode {
    const node = this.nodes.get(name);
    if (!node) throw new Error(`The cluster has no node ${name}`);
    return node;
  }

  /** The work that may leave a node, and is there. */
  workOn(name: string): readonly Pod[] {
    return this.pods.filter(({ node, owner }) => node === name && owner === 'ReplicaSet');
  }

  /** What an operator has: written to the file, with a certificate of the cluster's authority. */
  async writeKubeconfig(file: string): Promise<void> {
    const { certificate, key } = await this.authority.issue({ commonName: 'operator', organization: 'system:masters', purpose: 'client' });
    const base64 = (pem: string): string => Buffer.from(pem).toString('base64');
    const server = `https://${HOST}:${(this.#server.address() as AddressInfo).port}`;
    const config = {
      kind: 'Config',
      apiVersion: 'v1',
      'current-context': 'home',
      clusters: [{ name: 'home', cluster: { server, 'certificate-authority-data': base64(this.authority.certificate) } }],
      contexts: [{ name: 'home', context: { cluster: 'home', user: 'operator' } }],
      users: [{ name: 'operator', user: { 'client-certificate-data': base64(certificate), 'client-key-data': base64(key) } }],
    };
    await writeFile(file, JSON.stringify(config), { mode: 0o600 });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    const { pathname, searchParams } = new URL(request.url ?? '', 'https://localhost');
    const [status, answer] = this.#route(request, pathname, searchParams, body);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  }

  #route({ method = '', headers }: IncomingMessage, path: string, query: URLSearchParams, body: string): Answer {
    const known = DISCOVERY[`${method} ${path}`];
    if (known) return [200, known];
    const [, name = ''] = /^\/api\/v1\/nodes\/([^/]+)$/.exec(path) ?? [];
    if (name !== '') return this.#onNode(method, name, headers['content-type'] ?? '', body);
    if (method === 'GET' && path === '/api/v1/pods') return this.#listPods(query.get('fieldSelector') ?? '');
    const [, pod = '', what = ''] = /^\/api\/v1\/namespaces\/default\/pods\/([^/]+)(\/eviction)?$/.exec(path) ?? [];
    if (method === 'GET' && pod !== '' && what === '') return this.#getPod(pod);
    if (method === 'POST' && what !== '') return this.#evict(pod, body);
    const [, daemons = ''] = /^\/apis\/apps\/v1\/namespaces\/default\/daemonsets\/([^/]+)$/.exec(path) ?? [];
    if (method === 'GET' && daemons !== '') return [200, { kind: 'DaemonSet', apiVersion: 'apps/v1', metadata: { name: daemons } }];
    return this.#refuse(404, 'NotFound', `${method} ${path} is nothing that a rollout needs`);
  }

  #onNode(method: string, name: string, type: string, body: string): Answer {
    const node = this.nodes.get(name);
    if (!node) return [404, status(404, 'NotFound', `nodes "${name}" not found`)];
    if (method === 'GET') return [200, node];
    if (method !== 'PATCH') return this.#refuse(405, 'MethodNotAllowed', `${method} of a node`);
    if (!PATCHES.includes(type)) return this.#refuse(415, 'UnsupportedMediaType', `a patch of the type "${type}"`);
    const { metadata, spec, ...rest } = JSON.parse(body) as { metadata?: PatchOfMetadata; spec?: object };
    const unknown = [...Object.keys(rest), ...Object.keys(spec ?? {}).filter((key) => key !== 'unschedulable')];
    if (unknown.length > 0) return this.#refuse(422, 'Invalid', `a patch of ${unknown.join(', ')}`);
    const { annotations = {}, resourceVersion = node.metadata.resourceVersion } = metadata ?? {};
    if (resourceVersion !== node.metadata.resourceVersion) return [409, status(409, 'Conflict', 'the object has been modified')];
    for (const [key, value] of Object.entries(annotations)) {
      this.changes.push(`${value === null ? 'clear' : 'mark'} ${name}`);
      if (value === null) delete node.metadata.annotations[key];
      else node.metadata.annotations[key] = value;
    }
    if (spec) {
      const isCordon = (spec as { unschedulable?: boolean | null }).unschedulable === true;
      this.changes.push(`${isCordon ? 'cordon' : 'uncordon'} ${name}`);
      node.spec = isCordon ? { unschedulable: true } : {};
    }
    node.metadata.resourceVersion = String(Number(node.metadata.resourceVersion) + 1);
    return [200, node];
  }

  #listPods(selector: string): Answer {
    const [, name] = /^spec\.nodeName=(.+)$/.exec(selector) ?? [];
    if (name === undefined) return this.#refuse(400, 'BadRequest', `all pods, with the selector "${selector}"`);
    const items = this.pods.filter(({ node }) => node === name).map(podDocument);
    return [200, { kind: 'PodList', apiVersion: 'v1', metadata: {}, items }];
  }

  #getPod(name: string): Answer {
    const pod = this.pods.find((each) => each.name === name);
    return pod ? [200, podDocument(pod)] : [404, status(404, 'NotFound', `pods "${name}" not found`)];
  }

  #evict(name: string, body: string): Answer {
    const { kind, metadata } = JSON.parse(body) as { kind?: string; metadata?: { name?: string } };
    const index = this.pods.findIndex((each) => each.name === name);
    if (index === -1) return [404, status(404, 'NotFound', `pods "${name}" not found`)];
    if (kind !== 'Eviction' || metadata?.name !== name) return this.#refuse(422, 'Invalid', `an eviction of ${name} that says ${body}`);
    const { node, owner, isHeld } = this.pods[index]!;
    // A new pod of a DaemonSet would come at once, on the same node: a drain must leave it.
    if (owner === 'DaemonSet') return this.#refuse(422, 'Invalid', `the eviction of ${name}, which is a DaemonSet's`);
    if (!this.node(node).spec.unschedulable)
      return this.#refuse(422, 'Invalid', `the eviction of ${name} from a node that is not cordoned`);
    if (isHeld) return [429, status(429, 'TooManyRequests', "Cannot evict pod as it would violate the pod's disruption budget.")];
    this.pods.splice(index, 1);
    this.changes.push(`evict ${name}`);
    return [201, { kind: 'Status', apiVersion: 'v1', status: 'Success' }];
  }

  #refuse(code: number, reason: string, what: string): Answer {
    this.refused.push(what);
    return [code, status(code, reason, what)];
  }
}

type Answer = readonly [code: number, body: object];

const status = (code: number, reason: string, message: string) => {
  return { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason, message, code };
};

const podDocument = ({ name, node, owner }: Pod) => ({
  kind: 'Pod',
  apiVersion: 'v1',
  metadata: {
    name,
    namespace: 'default',
    uid: name,
    ownerReferences: [{ apiVersion: 'apps/v1', kind: owner, name: owner === 'DaemonSet' ? 'logs' : 'web', uid: owner, controller: true }],
  },
  spec: { nodeName: node },
  status: { phase: 'Running' },
});

const groupOf = (name: string, versions: readonly string[]) => {
  const all = versions.map((version) => ({ groupVersion: `${name}/${version}`, version }));
  return { name, versions: all, preferredVersion: all[0] };
};
const resource = (name: string, kind: string, namespaced: boolean, verbs: readonly string[], more: object = {}) => {
  return { name, singularName: '', namespaced, kind, verbs, ...more };
};
const listOf = (groupVersion: string, ...resources: readonly object[]) => ({ kind: 'APIResourceList', groupVersion, resources });

/** By which kubectl finds out what there is; it asks for some of it in vain where a server is older. */
const DISCOVERY: Readonly<Record<string, object>> = {
  'GET /api': { kind: 'APIVersions', versions: ['v1'] },
  'GET /apis': { kind: 'APIGroupList', apiVersion: 'v1', groups: [groupOf('apps', ['v1']), groupOf('policy', ['v1', 'v1beta1'])] },
  'GET /api/v1': listOf(
    'v1',
    resource('nodes', 'Node', false, ['get', 'list', 'patch']),
    resource('pods', 'Pod', true, ['get', 'list', 'delete']),
    resource('pods/eviction', 'Eviction', true, ['create'], { group: 'policy', version: 'v1' }),
  ),
  'GET /apis/apps/v1': listOf('apps/v1', resource('daemonsets', 'DaemonSet', true, ['get'])),
  'GET /apis/policy/v1': listOf('policy/v1'),
  'GET /apis/policy/v1beta1': listOf('policy/v1beta1'),
};
