// SPDX-License-Identifier: Apache-2.0
import { type KeyObject, X509Certificate } from 'node:crypto';
import * as v from 'valibot';
import { Failure } from '../../shared/failure.ts';
import { Labels } from '../../shared/labels.ts';
import { type AccessFiles, trustVersion } from './access-files.ts';
import { Authorities, type Trust } from './authorities.ts';
import { ownCertificateProblem } from './claim.ts';

export interface InForce {
  readonly trust: Trust;
  readonly version: string;
  /** PEM. */
  readonly certificate: string;
  readonly labels: Labels;
}

export interface KeeperParts {
  readonly files: AccessFiles;
  /** The certificate (PEM) that new connections are shown, and the node's key. */
  readonly identity: () => { readonly certificate: Buffer; readonly key: Buffer };
  readonly nodeKey: () => KeyObject;
  /** Puts the files of now in force. */
  readonly reload: () => Promise<void>;
  readonly nowMs: () => number;
}

/** Changes whom the node trusts and who it says that it is, one change at a time, and none that locks out who asks for it. */
export class AccessKeeper {
  #last: Promise<unknown> = Promise.resolve();

  constructor(private readonly parts: KeeperParts) {}

  async inForce(): Promise<InForce> {
    const { files, identity } = this.parts;
    const trust = await files.trust();
    return { trust, version: trustVersion(trust), certificate: identity().certificate.toString(), labels: await files.labels() };
  }

  /**
   * Resolves with the new version when it is in force. `caller` is the certificate (DER) of who asks. Fails with TRUST_CHANGED,
   * TRUST_REFUSED, INVALID_REQUEST or JOURNAL_UNWRITABLE.
   */
  setTrust(next: Trust, expectedVersion: string, caller: Buffer): Promise<string> {
    return this.#oneAtATime(async () => {
      const { files, identity, nodeKey, reload, nowMs } = this.parts;
      const before = await files.trust();
      if (trustVersion(before) !== expectedVersion) {
        throw new Failure(
          'TRUST_CHANGED',
          `Cannot change the trust of this node: its version is ${trustVersion(before)}, and not ${expectedVersion}`,
        );
      }
      const [old, authorities] = [await Authorities.read(before, nowMs()), await Authorities.read(next, nowMs())];
      const fewer = isSubset(authorities.fingerprints, old.fingerprints);
      if (!fewer && !isSubset(old.fingerprints, authorities.fingerprints)) {
        throw refused('authorities would come and others go at once; add first, and take away when every certificate was renewed');
      }
      const problem =
        authorities.listProblem(old) ??
        about('your certificate', authorities.problemOf(new X509Certificate(caller), 'client', nowMs())) ??
        about("the node's certificate", ownCertificateProblem(identity().certificate.toString(), nodeKey(), authorities, nowMs()));
      if (problem) throw refused(problem);
      await files.writeTrust(authorities.trust, fewer);
      await reload();
      return trustVersion(authorities.trust);
    });
  }

  /** `certificate` is PEM. Fails with INVALID_REQUEST or JOURNAL_UNWRITABLE. */
  renew(certificate: string): Promise<void> {
    return this.#oneAtATime(async () => {
      const { files, identity, nodeKey, reload, nowMs } = this.parts;
      const authorities = await Authorities.read(await files.trust(), nowMs());
      const problem = ownCertificateProblem(certificate, nodeKey(), authorities, nowMs()) ?? otherName(certificate, identity().certificate);
      if (problem) throw new Failure('INVALID_REQUEST', `Cannot take this certificate: ${problem}`, { field: 'certificate' });
      await files.writeCertificate(certificate);
      await reload();
    });
  }

  /** Fails with INVALID_REQUEST or JOURNAL_UNWRITABLE. */
  setLabels(labels: Readonly<Record<string, string>>): Promise<void> {
    return this.#oneAtATime(async () => {
      if (!v.is(Labels, labels))
        throw new Failure('INVALID_REQUEST', 'Cannot take these labels: they are not well-formed', { field: 'labels' });
      await this.parts.files.writeLabels(labels);
    });
  }

  #oneAtATime<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => undefined);
    return done;
  }
}

function isSubset(some: ReadonlySet<string>, all: ReadonlySet<string>): boolean {
  return [...some].every((each) => all.has(each));
}

/** Clients know the node by its name, and would not talk to another. */
function otherName(next: string, before: Buffer): string | undefined {
  const [name, nameBefore] = [new X509Certificate(next).subject, new X509Certificate(before).subject];
  return name === nameBefore
    ? undefined
    : `it is for ${name.replaceAll('\n', ', ')}, and this node is ${nameBefore.replaceAll('\n', ', ')}`;
}

function about(whose: string, problem: string | undefined): string | undefined {
  return problem && `of ${whose}, ${problem}`;
}

function refused(found: string): Failure {
  return new Failure('TRUST_REFUSED', `Cannot change the trust of this node: ${found}`);
}
