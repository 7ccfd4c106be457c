// SPDX-License-Identifier: Apache-2.0
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { processWorld } from '../../../agent/lamactl/process-world.ts';
import { K3sGate } from '../../../agent/lamactl/rollout/k3s-gate.ts';
import { kubectlOf } from '../../../agent/lamactl/rollout/kubectl.ts';
import { temporaryFolder } from '../../unit/fakes/folder.ts';
import { debianProgram } from '../fakes/debian-program.ts';
import { KubernetesApi } from '../fakes/kubernetes-api.ts';

/* Debian's own kubectl, against the little of an API server that stands in for k3s. */

let kubectl: string;
beforeAll(async () => {
  kubectl = await debianProgram('usr/bin/kubectl', 'kubernetes-client', 'kubectl');
}, 180_000);

const clusters: KubernetesApi[] = [];
afterAll(() => {
  for (const api of clusters) api.close();
});

const target = {
  name: 'attic',
  address: '10.0.0.5:7443',
  tlsName: 'attic',
  labels: { k3s: 'agent' },
  identity: { ca: Buffer.of(), certificate: Buffer.of(), key: Buffer.of() },
};
const signal = new AbortController().signal;

async function cluster(names: readonly string[] = ['attic']) {
  const api = await KubernetesApi.start(...names);
  clusters.push(api);
  const folder = await temporaryFolder();
  const kubeconfig = join(folder, 'kubeconfig');
  await api.writeKubeconfig(kubeconfig);
  const env = { HOME: folder, PATH: dirname(kubectl) };
  const gate = new K3sGate({
    kubectl: kubectlOf({ kubeconfig, env }),
    clock: processWorld().clock,
    rolloutId: 'rollout-1',
    drainMs: 8_000,
  });
  return { api, gate };
}

describe('kubectl, as a rollout uses it', { timeout: 120_000 }, () => {
  it('cordons a node, has its pods leave, and uncordons it again', async () => {
    const { api, gate } = await cluster();
    await gate.drain(target, signal);
    expect(api.node('attic')).toMatchObject({
      spec: { unschedulable: true },
      metadata: { annotations: { 'lamadist.dev/drained-by-rollout': 'rollout-1' } },
    });
    await gate.release(target, signal);
    expect(api.node('attic').spec.unschedulable).toBeFalsy();
    expect(api.node('attic').metadata.annotations).toEqual({});
    expect(api.changes).toEqual(['mark attic', 'cordon attic', 'evict web-attic', 'uncordon attic', 'clear attic']);
    expect(api.refused).toEqual([]);
  });

  it('gives up a drain that cannot end, says why, and leaves the node open for work', async () => {
    const { api, gate } = await cluster();
    api.pods[0]!.isHeld = true;
    await expect(gate.drain(target, signal)).rejects.toThrow(/^Cannot drain attic, which is uncordoned again: .*attic/);
    expect(api.workOn('attic')).toHaveLength(1);
    expect(api.changes).toEqual(['mark attic', 'cordon attic', 'uncordon attic', 'clear attic']);
    expect(api.refused).toEqual([]);
  });

  it('asks which nodes are servers of the cluster, and changes nothing', async () => {
    const { api, gate } = await cluster(['attic', 'cellar']);
    const cellar = { ...target, name: 'cellar' };
    expect(await gate.serversAmong([target, cellar], signal)).toEqual([]);
    api.node('cellar').metadata.labels = { 'node-role.kubernetes.io/control-plane': 'true' };
    expect(await gate.serversAmong([target, cellar], signal)).toEqual([cellar]);
    expect(await gate.serversAmong([cellar], signal)).toEqual([cellar]);
    await expect(gate.serversAmong([target, { ...target, name: 'shed' }], signal)).rejects.toThrow(/"shed" not found/);
    expect([api.changes, api.refused]).toEqual([[], []]);
  });

  it('says which node a cluster does not know', async () => {
    const { gate } = await cluster();
    await expect(gate.drain({ ...target, name: 'shed' }, signal)).rejects.toThrow(/NotFound/);
  });
});
