// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../shared/failure.ts';
import { type Answer, askOne } from '../fleet/ask.ts';
import { fanOut } from '../fleet/fan-out.ts';
import type { Target } from '../node/node.ts';
import { issue, keyOfRequest } from './issuing.ts';
import type { Office } from './office.ts';
import { signingAuthority } from './registry.ts';

/** So many nodes get their certificates between two writes of the registry, which holds them all. */
const BATCH = 64;

/** Gives nodes new certificates for the keys that they have, by the authority that signs now. */
export async function renewNodes(office: Office, targets: readonly Target[], timeoutMs: number): Promise<readonly Answer<void>[]> {
  const answers: Answer<void>[] = [];
  for (let at = 0; at < targets.length; at += BATCH) answers.push(...(await renewBatch(office, targets.slice(at, at + BATCH), timeoutMs)));
  return answers;
}

async function renewBatch(office: Office, targets: readonly Target[], timeoutMs: number): Promise<readonly Answer<void>[]> {
  const { connect } = office.world;
  const requests = await fanOut(targets, (target) => askOne(target, connect, { timeoutMs }, (node) => node.certificateRequest()));
  const certificates = await issueAll(office, requests);
  return fanOut(requests, async (request): Promise<Answer<void>> => {
    const certificate = certificates.get(request.target);
    if (!request.ok) return request;
    if (certificate instanceof Failure) return { target: request.target, ok: false, failure: certificate };
    const renewed = await askOne(request.target, connect, { timeoutMs }, (node) => node.renewCertificate(certificate ?? ''));
    return renewed.ok ? proven(office, request.target, timeoutMs) : renewed;
  });
}

/** What is given away is known before: it could not be revoked otherwise. */
async function issueAll(
  { registry: file, keys, world }: Office,
  requests: readonly Answer<string>[],
): Promise<Map<Target, string | Failure>> {
  await keys.open(signingAuthority(await file.read()));
  return file.change(async (before) => {
    const certificates = new Map<Target, string | Failure>();
    let registry = before;
    for (const request of requests) {
      if (!request.ok) continue;
      const { target, value } = request;
      try {
        const subject = { kind: 'node', name: target.tlsName, address: target.address } as const;
        const made = await issue(registry, keys, subject, await keyOfRequest(value), world);
        registry = made.registry;
        certificates.set(target, made.issued.certificate);
      } catch (thrown) {
        certificates.set(target, Failure.from(thrown));
      }
    }
    return { registry, result: certificates };
  });
}

/** A new connection, for which no other authority counts than the one that signs now. */
async function proven({ registry: file, world }: Office, target: Target, timeoutMs: number): Promise<Answer<void>> {
  const { certificate } = signingAuthority(await file.read());
  return askOne(onlyUnder(target, certificate), world.connect, { timeoutMs }, async (node) => void (await node.trust()));
}

/** The same node for somebody who trusts one authority alone. */
export function onlyUnder(target: Target, authority: string): Target {
  return { ...target, identity: { ...target.identity, ca: Buffer.from(authority) } };
}
