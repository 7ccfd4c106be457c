// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { K3sGate } from '../../../../agent/lamactl/rollout/k3s-gate.ts';
import { Failure } from '../../../../agent/shared/failure.ts';
import { FakeClock } from '../fake-world.ts';

const ROLLOUT = 'rollout-1';
const MARK = 'lamadist.dev/drained-by-rollout';
const signal = new AbortController().signal;
const target = {
  name: 'attic',
  address: '10.0.0.5:7443',
  tlsName: 'attic',
  labels: { k3s: 'agent' },
  identity: { ca: Buffer.of(), certificate: Buffer.of(), key: Buffer.of() },
};

/** A cluster in memory, of one node, which kubectl's verbs change. */
class FakeCluster {
  readonly calls: string[] = [];
  unschedulable = false;
  annotations: Record<string, string> = {};
  failures: Record<string, Failure[]> = {};
  /** What kubectl prints of several nodes at once. */
  columns = '';

  kubectl = async ([verb = '', ...rest]: readonly string[]): Promise<string> => {
    this.calls.push([verb, ...rest].join(' '));
    const failure = this.failures[verb]?.shift();
    if (failure) throw failure;
    if (verb === 'cordon' || verb === 'drain') this.unschedulable = true;
    if (verb === 'uncordon') this.unschedulable = false;
    if (verb === 'annotate') {
      const [key = '', value] = rest[2]!.split('=');
      if (value === undefined) delete this.annotations[key.slice(0, -1)];
      else this.annotations[key] = value;
    }
    if (rest.includes('--no-headers')) return this.columns;
    return JSON.stringify({ metadata: { annotations: this.annotations }, spec: { unschedulable: this.unschedulable } });
  };

  gate(): K3sGate {
    return new K3sGate({ kubectl: this.kubectl, clock: new FakeClock(), rolloutId: ROLLOUT, drainMs: 60_000 });
  }
}

const failed = (found: string) => new Failure('DRAIN_FAILED', `Cannot run kubectl: ${found}`);

describe('the gate of a k3s cluster', () => {
  it('cordons and drains a node, and uncordons it afterwards', async () => {
    const cluster = new FakeCluster();
    await cluster.gate().drain(target, signal);
    expect(cluster.calls.slice(1)).toEqual([
      `annotate node attic ${MARK}=${ROLLOUT} --overwrite`,
      'cordon attic',
      'drain attic --ignore-daemonsets --delete-emptydir-data --timeout=60s',
    ]);
    expect(cluster.unschedulable).toBe(true);
    await cluster.gate().release(target, signal);
    expect(cluster).toMatchObject({ unschedulable: false, annotations: {} });
  });

  it('uncordons a node whose drain cannot finish, and says so', async () => {
    const cluster = new FakeCluster();
    cluster.failures.drain = [failed('a disruption budget allows nothing')];
    await expect(cluster.gate().drain(target, signal)).rejects.toThrow(
      'Cannot drain attic, which is uncordoned again: Cannot run kubectl: a disruption budget allows nothing',
    );
    expect(cluster).toMatchObject({ unschedulable: false, annotations: {} });
  });

  it('uncordons a node whose drain was interrupted', async () => {
    const cluster = new FakeCluster();
    const ctrlC = new AbortController();
    const kubectl = async (args: readonly string[]) => {
      if (args[0] === 'drain') ctrlC.abort();
      if (args[0] === 'drain') throw failed('it was killed');
      return cluster.kubectl(args);
    };
    const gate = new K3sGate({ kubectl, clock: new FakeClock(), rolloutId: ROLLOUT, drainMs: 60_000 });
    await expect(gate.drain(target, ctrlC.signal)).rejects.toThrow('which is uncordoned again');
    expect(cluster).toMatchObject({ unschedulable: false, annotations: {} });
  });

  it('says when a node stays cordoned', async () => {
    const cluster = new FakeCluster();
    cluster.failures = { drain: [failed('too late')], uncordon: Array.from({ length: 200 }, () => failed('no server')) };
    await expect(cluster.gate().drain(target, signal)).rejects.toThrow(
      'Cannot drain attic, and it stays cordoned (Cannot run kubectl: no server)',
    );
  });

  it('leaves a node cordoned that an operator had cordoned', async () => {
    const cluster = new FakeCluster();
    cluster.unschedulable = true;
    await cluster.gate().drain(target, signal);
    await cluster.gate().release(target, signal);
    expect(cluster.unschedulable).toBe(true);
    expect(cluster.calls.join()).not.toContain('uncordon');
  });

  it('takes a node for its own that a rollout cordoned which it replaces', async () => {
    const cluster = new FakeCluster();
    const gate = (rolloutId: string) => new K3sGate({ kubectl: cluster.kubectl, clock: new FakeClock(), rolloutId, drainMs: 60_000 });
    await gate('replaced').drain(target, signal);
    await cluster.gate().drain(target, signal);
    expect(cluster.annotations).toEqual({ [MARK]: ROLLOUT });
    await cluster.gate().release(target, signal);
    expect(cluster).toMatchObject({ unschedulable: false, annotations: {} });
    // As well where it comes to its end before it was to be drained.
    await gate('replaced').drain(target, signal);
    await cluster.gate().release(target, signal);
    expect(cluster).toMatchObject({ unschedulable: false, annotations: {} });
  });

  it('asks once, for all nodes, whether the cluster knows them, and which are its servers', async () => {
    const cluster = new FakeCluster();
    cluster.columns = 'attic.lan   true\ncellar      <none>\nshed\n';
    const [attic, cellar, shed] = [
      { ...target, labels: { 'k3s-node': 'attic.lan' } },
      { ...target, name: 'cellar' },
      { ...target, name: 'shed' },
    ];
    expect(await cluster.gate().serversAmong([attic, cellar, shed], signal)).toEqual([attic, shed]);
    expect(cluster.calls).toEqual([expect.stringMatching(/^get node attic\.lan cellar shed --no-headers/)]);
    cluster.failures.get = [failed('nodes "attic" not found')];
    await expect(cluster.gate().serversAmong([target], signal)).rejects.toThrow('not found');
    expect(cluster.calls).toHaveLength(2);
  });

  it('is asked for its servers for a while where one of them may have just rebooted', async () => {
    const cluster = new FakeCluster();
    cluster.columns = 'attic   true';
    const refused = failed('connection refused');
    cluster.failures.get = [refused, refused];
    expect(await cluster.gate().serversAmong([target], signal, 60_000)).toEqual([target]);
    cluster.failures.get = [refused];
    await expect(cluster.gate().serversAmong([target], signal)).rejects.toThrow('connection refused');
  });

  it('waits for a cluster whose server has just rebooted, and not for a node that there is not', async () => {
    const cluster = new FakeCluster();
    cluster.failures.get = [failed('connection refused'), failed('connection refused')];
    await cluster.gate().drain(target, signal);
    cluster.failures.get = [failed('Error from server (NotFound): nodes "attic" not found')];
    await expect(cluster.gate().drain(target, signal)).rejects.toThrow('NotFound');
  });

  it('knows a node by the label that names it, and takes no name that is an option', async () => {
    const cluster = new FakeCluster();
    await cluster.gate().release({ ...target, labels: { 'k3s-node': 'attic.lan' } }, signal);
    expect(cluster.calls).toEqual(['get node attic.lan --output=json']);
    await expect(cluster.gate().drain({ ...target, name: '--all' }, signal)).rejects.toThrow('is no name of a Kubernetes node');
  });
});
