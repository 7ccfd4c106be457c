// SPDX-License-Identifier: Apache-2.0
import type { EnrolmentServiceHandlers } from '../../../shared/gen/services.ts';
import { NO_CERTIFICATE_SHA256 } from '../../../shared/qualifying-data.ts';
import { alreadyClaimed, type Claiming } from '../../access/claim.ts';
import type { Asking } from '../../attestation/attester.ts';
import { addressOf } from '../admission.ts';
import { type CallContext, unary } from '../handlers.ts';
import { trustFromWire } from '../messages/trust-message.ts';
import { type AttestationServiceParts, credentialIn } from './attestation-service.ts';

export interface EnrolmentServiceParts {
  readonly claiming: Pick<Claiming, 'claim'>;
  /** A request (PKCS#10, PEM) for the node's own key. */
  readonly certificateRequest: () => Promise<string>;
  readonly attester: AttestationServiceParts['attester'];
  /** SHA-256 of the certificate that this node shows. */
  readonly certificateSha256: Buffer;
  readonly hostname: string;
  readonly imageVersion: string;
  readonly agentVersion: string;
  readonly pinnedAuthorities: readonly string[];
  /** Called once the node is claimed; the answer is on its way by then. */
  readonly onClaimed: () => void;
}

/** Of a node without an administrator. */
export function enrolmentService({
  claiming,
  certificateRequest,
  attester,
  certificateSha256,
  onClaimed,
  ...node
}: EnrolmentServiceParts): EnrolmentServiceHandlers {
  return {
    getEnrolment: unary(async () => ({
      certificateRequest: await certificateRequest(),
      hostname: node.hostname,
      imageVersion: node.imageVersion,
      agentVersion: node.agentVersion,
      pinnedAuthorities: [...node.pinnedAuthorities],
    })),

    getTpmKeys: unary((_request, context) => attester.identity(askingFrom(context))),

    openCredential: unary(async (request, context) => ({
      secret: await attester.activate(credentialIn(request), askingFrom(context)),
    })),

    quoteSession: unary(async ({ nonce }, context) => {
      const session = {
        nonce: Buffer.from(nonce ?? []),
        serverCertificateSha256: certificateSha256,
        clientCertificateSha256: NO_CERTIFICATE_SHA256,
      };
      const { quote } = await attester.evidence('sha256', session, askingFrom(context));
      return { quote: { ...quote, pcrValues: [...quote.pcrValues] } };
    }),

    claimNode: unary(async ({ certificate, trust, labels }) => {
      await claiming.claim({ certificate: certificate ?? '', trust: trustFromWire(trust), labels: { ...labels } });
      setImmediate(onClaimed);
      return {};
    }),
  };
}

/** Nobody has a certificate yet: who asks is known by the address. */
function askingFrom({ peer, signal }: CallContext): Asking {
  return { asker: addressOf(peer), signal };
}

/** Of a node that has one. */
export function closedEnrolment(): EnrolmentServiceHandlers {
  const refuse = unary(() => {
    throw alreadyClaimed();
  });
  return { getEnrolment: refuse, getTpmKeys: refuse, openCredential: refuse, quoteSession: refuse, claimNode: refuse };
}
