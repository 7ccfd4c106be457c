// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { processWorld } from '../../../agent/lamactl/process-world.ts';
import { K3sGate } from '../../../agent/lamactl/rollout/k3s-gate.ts';
import { kubectlOf } from '../../../agent/lamactl/rollout/kubectl.ts';
import { temporaryFolder } from '../../unit/fakes/folder.ts';
import { debianProgram } from '../fakes/debian-program.ts';

/* Debian's own kubectl, against a small API server that stands in for k3s: one node with one pod on it. */

interface KubernetesNode {
  kind: 'Node';
  apiVersion: 'v1';
  metadata: { name: string; annotations: Record<string, string | null> };
  spec: { unschedulable?: boolean | null };
}

class FakeApiServer {
  readonly node: KubernetesNode = { kind: 'Node', apiVersion: 'v1', metadata: { name: 'attic', annotations: {} }, spec: {} };
  hasPod = true;
  /** A pod disruption budget that allows nothing. */
  mayEvict = true;
  readonly #server = createServer((request, response) => void this.#answer(request, response));

  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    const { pathname } = new URL(request.url ?? '', 'http://localhost');
    const [status, answer] = this.#route(`${request.method} ${pathname}`, body);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  }

  #route(call: string, body: string): readonly [status: number, answer: object] {
    const pod = {
      kind: 'Pod',
      apiVersion: 'v1',
      metadata: {
        name: 'web',
        namespace: 'default',
        uid: '1',
        ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: '2', controller: true }],
      },
      spec: { nodeName: 'attic' },
      status: { phase: 'Running' },
    };
    switch (call) {
      case 'GET /api':
        return [200, { kind: 'APIVersions', versions: ['v1'] }];
      case 'GET /apis':
        return [200, { kind: 'APIGroupList', apiVersion: 'v1', groups: [group('policy', 'v1beta1')] }];
      case 'GET /apis/policy/v1beta1':
        return [200, { kind: 'APIResourceList', groupVersion: 'policy/v1beta1', resources: [] }];
      case 'GET /api/v1':
        return [200, { kind: 'APIResourceList', groupVersion: 'v1', resources: RESOURCES }];
      case 'GET /api/v1/nodes/attic':
        return [200, this.node];
      case 'PATCH /api/v1/nodes/attic':
        return [200, this.#patched(JSON.parse(body) as Partial<KubernetesNode>)];
      case 'GET /api/v1/pods':
        return [200, { kind: 'PodList', apiVersion: 'v1', metadata: {}, items: this.hasPod ? [pod] : [] }];
      case 'POST /api/v1/namespaces/default/pods/web/eviction':
        if (!this.mayEvict)
          return [429, failure(429, 'TooManyRequests', "Cannot evict pod as it would violate the pod's disruption budget.")];
        this.hasPod = false;
        return [201, { kind: 'Status', apiVersion: 'v1', status: 'Success' }];
      default:
        return [404, failure(404, 'NotFound', `${call} not found`)];
    }
  }

  #patched({ metadata, spec }: Partial<KubernetesNode>): KubernetesNode {
    Object.assign(this.node.metadata.annotations, metadata?.annotations);
    for (const [name, value] of Object.entries(this.node.metadata.annotations))
      if (value === null) delete this.node.metadata.annotations[name];
    Object.assign(this.node.spec, spec);
    return this.node;
  }
}

const group = (name: string, version: string) => ({
  name,
  versions: [{ groupVersion: `${name}/${version}`, version }],
  preferredVersion: { groupVersion: `${name}/${version}`, version },
});
const failure = (code: number, reason: string, message: string) => ({
  kind: 'Status',
  apiVersion: 'v1',
  status: 'Failure',
  reason,
  message,
  code,
});
const RESOURCES = [
  { name: 'nodes', singularName: '', namespaced: false, kind: 'Node', verbs: ['get', 'list', 'patch'] },
  { name: 'pods', singularName: '', namespaced: true, kind: 'Pod', verbs: ['get', 'list', 'delete'] },
  { name: 'pods/eviction', singularName: '', namespaced: true, group: 'policy', version: 'v1beta1', kind: 'Eviction', verbs: ['create'] },
];

let kubectl: string;
beforeAll(async () => {
  kubectl = await debianProgram('usr/bin/kubectl', 'kubernetes-client', 'kubectl');
}, 180_000);

const servers: FakeApiServer[] = [];
afterAll(() => {
  for (const server of servers) server.close();
});

const target = {
  name: 'attic',
  address: '10.0.0.5:7443',
  tlsName: 'attic',
  labels: { k3s: 'agent' },
  identity: { ca: Buffer.of(), certificate: Buffer.of(), key: Buffer.of() },
};
const signal = new AbortController().signal;

async function cluster() {
  const server = new FakeApiServer();
  servers.push(server);
  const folder = await temporaryFolder();
  const kubeconfig = join(folder, 'kubeconfig');
  const config = {
    kind: 'Config',
    apiVersion: 'v1',
    'current-context': 'home',
    clusters: [{ name: 'home', cluster: { server: await server.listen() } }],
    contexts: [{ name: 'home', context: { cluster: 'home', user: 'admin' } }],
    users: [{ name: 'admin', user: {} }],
  };
  await writeFile(kubeconfig, JSON.stringify(config));
  const env = { HOME: folder, PATH: dirname(kubectl) };
  const gate = new K3sGate({
    kubectl: kubectlOf({ kubeconfig, env }),
    clock: processWorld().clock,
    rolloutId: 'rollout-1',
    drainMs: 8_000,
  });
  return { server, gate };
}

describe('kubectl, as a rollout uses it', { timeout: 120_000 }, () => {
  it('cordons a node, has its pods leave, and uncordons it again', async () => {
    const { server, gate } = await cluster();
    await gate.drain(target, signal);
    expect(server).toMatchObject({
      hasPod: false,
      node: { spec: { unschedulable: true }, metadata: { annotations: { 'lamadist.dev/drained-by-rollout': 'rollout-1' } } },
    });
    await gate.release(target, signal);
    expect(server.node.spec.unschedulable).toBeFalsy();
    expect(server.node.metadata.annotations).toEqual({});
  });

  it('gives up a drain that cannot end, says why, and leaves the node open for work', async () => {
    const { server, gate } = await cluster();
    server.mayEvict = false;
    await expect(gate.drain(target, signal)).rejects.toThrow(/^Cannot drain attic, which is uncordoned again: .*attic/);
    expect(server.node.spec.unschedulable).toBeFalsy();
    expect(server).toMatchObject({ hasPod: true, node: { metadata: { annotations: {} } } });
  });

  it('says which node a cluster does not know', async () => {
    const { gate } = await cluster();
    await expect(gate.drain({ ...target, name: 'shed' }, signal)).rejects.toThrow(/NotFound/);
  });
});
