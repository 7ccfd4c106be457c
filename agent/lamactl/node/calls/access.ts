// SPDX-License-Identifier: Apache-2.0
import { createHash, type X509Certificate } from 'node:crypto';
import { AccessServiceDefinition as access, EnrolmentServiceDefinition as enrolment } from '../../../shared/gen/services.ts';
import { NO_CERTIFICATE_SHA256 } from '../../../shared/qualifying-data.ts';
import type { Channel } from '../channel.ts';
import type { AttestationCalls } from '../node.ts';
import type { AccessCalls, EnrolmentCalls } from '../node-access.ts';
import { bytes } from '../wire/evidence-stream.ts';
import { text } from '../wire/wire-values.ts';

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
    async setLabels(labels) {
      await channel.call(access.setLabels, { labels });
    },
  };
}

/** What a node without an administrator is asked; `certificate` is the one that it showed, and the channel takes no other. */
export function enrolmentCalls(channel: Channel, certificate: X509Certificate): EnrolmentCalls & AttestationCalls {
  return {
    async tpmKeys() {
      const { ekCertificate, ekPublic, akPublic } = await channel.call(enrolment.getTpmKeys, {});
      return { ekCertificate: bytes(ekCertificate), ekPublic: bytes(ekPublic), akPublic: bytes(akPublic) };
    },
    async activate(credential) {
      return bytes((await channel.call(enrolment.openCredential, credential)).secret);
    },
    async quote(nonce) {
      const { quote } = await channel.call(enrolment.quoteSession, { nonce });
      return {
        attest: bytes(quote?.attest),
        signature: bytes(quote?.signature),
        pcrValues: (quote?.pcrValues ?? []).map(bytes),
        logs: { firmware: Buffer.alloc(0), userspace: Buffer.alloc(0), ima: Buffer.alloc(0) },
        serverCertificateSha256: createHash('sha256').update(certificate.raw).digest(),
        clientCertificateSha256: NO_CERTIFICATE_SHA256,
      };
    },
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
