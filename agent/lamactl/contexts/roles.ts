// SPDX-License-Identifier: Apache-2.0

/** Whether a node has a role: its label `role` may hold several, with dots between. */
export function hasRole({ role = '' }: Readonly<Record<string, string>>, wanted: string): boolean {
  return role.split('.').includes(wanted);
}
