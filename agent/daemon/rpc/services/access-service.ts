// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../../shared/failure.ts';
import type { AccessServiceHandlers } from '../../../shared/gen/services.ts';
import type { AccessKeeper } from '../../access/access-keeper.ts';
import { unary } from '../handlers.ts';
import { trustFromWire } from '../messages/trust-message.ts';

export interface AccessServiceParts {
  readonly keeper: Pick<AccessKeeper, 'inForce' | 'setTrust' | 'renew' | 'setLabels'>;
  /** A request (PKCS#10, PEM) for the node's own key. */
  readonly certificateRequest: () => Promise<string>;
}

/** Whom the node lets in, and who it says that it is. */
export function accessService({ keeper, certificateRequest }: AccessServiceParts): AccessServiceHandlers {
  return {
    getTrust: unary(() => keeper.inForce()),

    setTrust: unary(async ({ trust, expectedVersion }, { authContext }) => {
      const caller = authContext.sslPeerCertificate?.raw;
      if (!caller) throw new Failure('UNAUTHENTICATED', 'Cannot change the trust of this node: the connection has no client certificate');
      return { version: await keeper.setTrust(trustFromWire(trust), expectedVersion ?? '', caller) };
    }),

    createCertificateRequest: unary(async () => ({ certificateRequest: await certificateRequest() })),

    renewCertificate: unary(async ({ certificate }) => {
      await keeper.renew(certificate ?? '');
      return {};
    }),

    setLabels: unary(async ({ labels }) => {
      await keeper.setLabels({ ...labels });
      return {};
    }),
  };
}
