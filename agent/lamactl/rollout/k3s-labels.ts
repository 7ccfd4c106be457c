// SPDX-License-Identifier: Apache-2.0
import { hasRole } from '../contexts/roles.ts';

type Labels = Readonly<Record<string, string>>;

/** Whether a node belongs to a k3s cluster: by its role `k3s`, or by the label `k3s`. */
export function isInCluster(labels: Labels): boolean {
  return labels.k3s !== undefined || hasRole(labels, 'k3s');
}

/** The cluster that a node with the label `k3s: server` serves: the label `k3s-cluster`, or the only one. Empty for none. */
export function servesOf(labels: Labels): string {
  return labels.k3s === 'server' ? labels['k3s-cluster'] || 'default' : '';
}
