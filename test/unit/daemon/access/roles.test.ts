// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { isMutating, LEAST_ROLE, leastRole, mayCall } from '../../../../agent/daemon/access/roles.ts';
import * as services from '../../../../agent/shared/gen/services.ts';

const paths = Object.entries(services)
  .filter(([name]) => name.endsWith('Definition'))
  .flatMap(([, definition]) => Object.values(definition as Record<string, { path: string }>).map(({ path }) => path))
  .sort();

describe('the table of roles', () => {
  it('names every RPC, and nothing but RPCs', () => {
    expect(Object.keys(LEAST_ROLE).sort()).toEqual(paths);
  });

  it('gives nothing that changes the node to a reader or a monitor', () => {
    const mutating = /\/(Install|RollBack|Reboot|Restart|Run)/;
    for (const path of paths) expect(isMutating(path) || !mutating.test(path), path).toBe(true);
  });

  it('asks for an administrator where it has no line', () => {
    expect(leastRole('/lamadist.agent.v1.UpdateService/NotYetThere')).toBe('admin');
    expect(mayCall('operator', '/lamadist.agent.v1.UpdateService/NotYetThere')).toBe(false);
  });

  it('lets each role do what the roles before it may', () => {
    expect(mayCall('monitor', '/lamadist.agent.v1.HealthService/GetHealth')).toBe(true);
    expect(mayCall('monitor', '/lamadist.agent.v1.UpdateService/GetUpdate')).toBe(false);
    expect(mayCall('reader', '/lamadist.agent.v1.UpdateService/WatchUpdate')).toBe(true);
    expect(mayCall('reader', '/lamadist.agent.v1.UpdateService/InstallBundle')).toBe(false);
    expect(mayCall('operator', '/lamadist.agent.v1.UpdateService/InstallBundle')).toBe(true);
    expect(mayCall('admin', '/lamadist.agent.v1.UpdateService/RollBack')).toBe(true);
  });
});
