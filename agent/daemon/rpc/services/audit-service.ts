// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../../shared/failure.ts';
import type { AuditServiceHandlers } from '../../../shared/gen/services.ts';
import type { AuditLog } from '../../access/audit-log.ts';
import { serverStream } from '../handlers.ts';

/** The log in parts, as they are on the disk: whoever asks judges them. */
export function auditService(audit: Pick<AuditLog, 'read'>): AuditServiceHandlers {
  return {
    readAuditLog: serverStream(async function* () {
      try {
        for await (const data of audit.read()) yield { data };
      } catch (error) {
        throw new Failure('JOURNAL_UNREADABLE', `Cannot read the audit log: ${(error as Error).message}`, {}, { cause: error });
      }
    }),
  };
}
