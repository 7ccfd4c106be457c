// SPDX-License-Identifier: Apache-2.0
// What k3s promises of this distribution is in the files that its recipe installs.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

const RECIPE = path.join(import.meta.dirname, '../../meta-lamadist/recipes-containers/lamadist-k3s-config');
const file = (name: string) => readFile(path.join(RECIPE, 'files', name), 'utf8');
const settings = async (name: string) => parse(await file(name)) as Record<string, unknown>;

/** What `k3s agent` knows of that; with any other it does not start. */
const OF_AN_AGENT = ['kubelet-arg', 'protect-kernel-defaults', 'selinux'];

describe("k3s's server", () => {
  it('labels containers for SELinux, encrypts secrets and wants the kernel as it is hardened', async () => {
    expect(await settings('config.yaml')).toMatchObject({ selinux: true, 'secrets-encryption': true, 'protect-kernel-defaults': true });
  });

  it('holds every pod to the restricted standard, by a file that is installed where it is looked for', async () => {
    const { plugins } = (await settings('pod-security.yaml')) as { plugins: { name: string; configuration: unknown }[] };
    expect(plugins).toMatchObject([
      { name: 'PodSecurity', configuration: { defaults: { enforce: 'restricted' }, exemptions: { namespaces: ['kube-system'] } } },
    ]);
    await expectInstalled('admission-control-config-file=/etc/rancher/k3s/', 'pod-security.yaml');
  });

  it('writes down who asked for what, and never what they sent', async () => {
    const { rules } = (await settings('audit-policy.yaml')) as { rules: { level: string }[] };
    expect(rules.at(-1)).toEqual({ level: 'Metadata' });
    expect(rules.map((rule) => rule.level)).not.toContain('Request');
    expect(rules.map((rule) => rule.level)).not.toContain('RequestResponse');
    const { 'kube-apiserver-arg': words } = (await settings('config.yaml')) as { 'kube-apiserver-arg': string[] };
    expect(words).toContain('audit-log-path=/var/log/k3s/audit.log');
    expect(await file('k3s-lamadist.conf')).toMatch(/^d \/var\/log\/k3s 0700 root root -$/m);
    await expectInstalled('audit-policy-file=/etc/rancher/k3s/', 'audit-policy.yaml');
  });

  it('lets nobody speak to a pod until a policy allows it', async () => {
    expect(await settings('network-policy.yaml')).toMatchObject({
      kind: 'NetworkPolicy',
      metadata: { namespace: 'default' },
      spec: { podSelector: {}, policyTypes: ['Ingress'] },
    });
    const [, target = ''] =
      /^L\+ \/var\/lib\/rancher\/k3s\/server\/manifests\/\S+ - - - - (\S+)$/m.exec(await file('k3s-lamadist.conf')) ?? [];
    expect(target).toBe('/usr/share/lamadist/network-policy.yaml');
  });
});

describe("k3s's agent", () => {
  it('is told nothing that only a server knows, and all of the rest', async () => {
    const server = await settings('config.yaml');
    expect(await settings('agent.yaml')).toEqual(Object.fromEntries(OF_AN_AGENT.map((name) => [name, server[name]])));
    expect(await file('k3s-agent-lamadist.conf')).toContain('Environment=K3S_CONFIG_FILE=/etc/rancher/k3s/agent.yaml');
  });
});

/** A word for the API server names a file that the recipe installs there. */
async function expectInstalled(word: string, name: string): Promise<void> {
  const { 'kube-apiserver-arg': words } = (await settings('config.yaml')) as { 'kube-apiserver-arg': string[] };
  expect(words).toContain(`${word}${name}`);
  expect(await readFile(path.join(RECIPE, 'lamadist-k3s-config_1.0.bb'), 'utf8')).toMatch(
    new RegExp(`for file in [^;]*${name}[^;]*; do\\n.*/rancher/k3s/\\$file`),
  );
}
