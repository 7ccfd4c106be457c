// SPDX-License-Identifier: Apache-2.0

/** From the least to the most: whoever has a role may do what the roles before it may. Another node of the fleet is the least of all. */
export const ROLES = ['node', 'monitor', 'reader', 'operator', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** The least role for each RPC, by its gRPC path. An RPC that is not here needs admin, and a test fails for it. */
export const LEAST_ROLE: { readonly [path: string]: Role } = {
  '/grpc.health.v1.Health/Check': 'monitor',
  '/grpc.health.v1.Health/List': 'monitor',
  '/grpc.health.v1.Health/Watch': 'monitor',
  '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo': 'reader',
  '/lamadist.agent.v1.AccessService/CreateCertificateRequest': 'admin',
  '/lamadist.agent.v1.AccessService/GetTrust': 'reader',
  '/lamadist.agent.v1.AccessService/RenewCertificate': 'admin',
  '/lamadist.agent.v1.AccessService/SetLabels': 'admin',
  '/lamadist.agent.v1.AccessService/SetTrust': 'admin',
  // Only while a node is enrolled; what it gives away is the answer to a riddle of whoever calls.
  '/lamadist.agent.v1.AttestationService/ActivateCredential': 'operator',
  '/lamadist.agent.v1.AttestationService/GetEvidence': 'reader',
  '/lamadist.agent.v1.AttestationService/GetIdentity': 'reader',
  // It tells who did what; that it was read is written down as well.
  '/lamadist.agent.v1.AuditService/ReadAuditLog': 'admin',
  '/lamadist.agent.v1.DeviceService/GetDevice': 'reader',
  '/lamadist.agent.v1.DeviceService/GetDiskUsage': 'reader',
  '/lamadist.agent.v1.DeviceService/GetInventory': 'reader',
  '/lamadist.agent.v1.DeviceService/GetSecurityPosture': 'reader',
  '/lamadist.agent.v1.DeviceService/Reboot': 'operator',
  // Of a node that has an administrator: to be told so. One that has none knows no roles, and writes down who claims it alone.
  '/lamadist.agent.v1.EnrolmentService/ClaimNode': 'admin',
  '/lamadist.agent.v1.EnrolmentService/GetEnrolment': 'reader',
  '/lamadist.agent.v1.EnrolmentService/GetTpmKeys': 'reader',
  '/lamadist.agent.v1.EnrolmentService/OpenCredential': 'reader',
  '/lamadist.agent.v1.EnrolmentService/QuoteSession': 'reader',
  '/lamadist.agent.v1.EventService/WatchEvents': 'reader',
  '/lamadist.agent.v1.HealthService/GetHealth': 'monitor',
  '/lamadist.agent.v1.HealthService/RunChecks': 'operator',
  '/lamadist.agent.v1.LogService/ReadLog': 'reader',
  '/lamadist.agent.v1.RolloutService/GetRollout': 'reader',
  '/lamadist.agent.v1.RolloutService/ListRollouts': 'reader',
  '/lamadist.agent.v1.RolloutService/PutRollout': 'operator',
  '/lamadist.agent.v1.RolloutService/TakeRollout': 'operator',
  '/lamadist.agent.v1.StatusService/GetStatus': 'reader',
  '/lamadist.agent.v1.UnitService/ListUnits': 'reader',
  '/lamadist.agent.v1.UnitService/RestartUnit': 'operator',
  '/lamadist.agent.v1.UpdateService/CancelUpdate': 'operator',
  '/lamadist.agent.v1.UpdateService/GetUpdate': 'reader',
  '/lamadist.agent.v1.UpdateService/InspectBundle': 'operator',
  '/lamadist.agent.v1.UpdateService/InstallBundle': 'operator',
  '/lamadist.agent.v1.UpdateService/ListMediaBundles': 'reader',
  '/lamadist.agent.v1.UpdateService/ListUpdates': 'reader',
  '/lamadist.agent.v1.UpdateService/PauseUpdate': 'operator',
  '/lamadist.agent.v1.UpdateService/ReadBundle': 'node',
  '/lamadist.agent.v1.UpdateService/ResumeUpdate': 'operator',
  '/lamadist.agent.v1.UpdateService/RollBack': 'operator',
  '/lamadist.agent.v1.UpdateService/ServeBundle': 'operator',
  '/lamadist.agent.v1.UpdateService/WatchUpdate': 'reader',
};

export function mayCall(role: Role, path: string): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(leastRole(path));
}

/** Metrics have no path of gRPC. */
export const mayReadMetrics = (role: Role): boolean => role !== 'node';

export function leastRole(path: string): Role {
  return LEAST_ROLE[path] ?? 'admin';
}

/** Calls that change the node, or make it work; each is written to the audit log. */
export function isMutating(path: string): boolean {
  return leastRole(path) === 'operator' || leastRole(path) === 'admin';
}
