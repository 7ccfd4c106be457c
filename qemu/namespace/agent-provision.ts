// SPDX-License-Identifier: Apache-2.0
import type { TestPki } from '../pki/test-pki.ts';
import type { NodeIdentity } from './namespace-machine.ts';
import type { ProvisionedFile } from './provision.ts';

const METRICS_PORT = 9477;

/**
 * What a node with the agent is given in the factory: RAUC's keyring, its certificate and key, and a configuration that
 * listens on the node's own address (the nodes share the host's network).
 */
export async function provisionAgent(pki: TestPki, { name, host, port }: NodeIdentity): Promise<ProvisionedFile[]> {
  const { certificate, key } = await pki.node(name, host);
  const tls = '/etc/lamadist-agent/tls';
  return [
    { path: '/etc/rauc/keyring.pem', content: pki.bundleAuthority.certificate },
    { path: '/etc/lamadist-agent/config.yaml', content: `listen: "${host}:${port}"\nmetrics:\n  listen: "${host}:${METRICS_PORT}"\n` },
    { path: `${tls}/ca.pem`, content: pki.agentAuthority.certificate },
    { path: `${tls}/node.pem`, content: certificate },
    { path: `${tls}/node.key`, content: key, mode: 0o400, owner: 'lamadist-agent' },
  ];
}
