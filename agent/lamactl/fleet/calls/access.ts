// SPDX-License-Identifier: Apache-2.0
import { AccessServiceDefinition as access, EnrolmentServiceDefinition as enrolment } from '../../../shared/gen/services.ts';
import type { Channel } from '../channel.ts';
import type { AccessCalls, EnrolmentCalls } from '../node-access.ts';
import { text } from '../wire-values.ts';

/** Whom a node lets in, and who it says that it is. */
export function accessCalls(channel: Channel): AccessCalls {
  return {
    async trust() {
      const { trust, version, certificate, labels } = await channel.call(access.getTrust, {});
      return {
        trust: { authorities: text(trust?.authorities), revocationLists: text(trust?.revocationLists) },
        version: text(version),
        certificate: text(certificate),
        labels: { ...labels },
      };
    },
    async setTrust(trust, expectedVersion) {
      return text((await channel.call(access.setTrust, { trust, expectedVersion })).version);
    },
    async certificateRequest() {
      return text((await channel.call(access.createCertificateRequest, {})).certificateRequest);
    },
    async renewCertificate(certificate) {
      await channel.call(access.renewCertificate, { certificate });
    },
  };
}

/** What a node without an administrator is asked. */
export function enrolmentCalls(channel: Channel): EnrolmentCalls {
  return {
    async enrolment() {
      const answer = await channel.call(enrolment.getEnrolment, {});
      return {
        certificateRequest: text(answer.certificateRequest),
        hostname: text(answer.hostname),
        imageVersion: text(answer.imageVersion),
        pinnedAuthorities: answer.pinnedAuthorities.map(text),
      };
    },
    async claim({ certificate, trust, labels }) {
      await channel.call(enrolment.claimNode, { certificate, trust, labels });
    },
  };
}
