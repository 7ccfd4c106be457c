// SPDX-License-Identifier: Apache-2.0
import type { EnrolmentServiceHandlers } from '../../shared/gen/services.ts';
import { alreadyClaimed, type Claiming } from '../access/claim.ts';
import { unary } from './handlers.ts';
import { trustFromWire } from './trust-message.ts';

export interface EnrolmentServiceParts {
  readonly claiming: Pick<Claiming, 'claim'>;
  /** A request (PKCS#10, PEM) for the node's own key. */
  readonly certificateRequest: () => Promise<string>;
  readonly hostname: string;
  readonly imageVersion: string;
  readonly agentVersion: string;
  readonly pinnedAuthorities: readonly string[];
  /** Called once the node is claimed; the answer is on its way by then. */
  readonly onClaimed: () => void;
}

/** Of a node without an administrator. */
export function enrolmentService({ claiming, certificateRequest, onClaimed, ...node }: EnrolmentServiceParts): EnrolmentServiceHandlers {
  return {
    getEnrolment: unary(async () => ({
      certificateRequest: await certificateRequest(),
      hostname: node.hostname,
      imageVersion: node.imageVersion,
      agentVersion: node.agentVersion,
      pinnedAuthorities: [...node.pinnedAuthorities],
    })),

    claimNode: unary(async ({ certificate, trust, labels }) => {
      await claiming.claim({ certificate: certificate ?? '', trust: trustFromWire(trust), labels: { ...labels } });
      setImmediate(onClaimed);
      return {};
    }),
  };
}

/** Of a node that has one. */
export function closedEnrolment(): EnrolmentServiceHandlers {
  const refuse = unary(() => {
    throw alreadyClaimed();
  });
  return { getEnrolment: refuse, claimNode: refuse };
}
