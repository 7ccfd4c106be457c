// SPDX-License-Identifier: Apache-2.0
import { X509Certificate } from 'node:crypto';
import { Failure } from '../../shared/failure.ts';
import { certificateFingerprint } from '../../shared/fingerprint.ts';
import { pemBlocks, pemOf } from '../../shared/pem.ts';
import { loadX509, PURPOSES, type X509 } from '../../shared/x509.ts';

/** Whom a node trusts, as PEM texts: its authorities, and the revocation list of each or of none. */
export interface Trust {
  readonly authorities: string;
  readonly revocationLists: string;
}

const MAX_AUTHORITIES = 4;

interface RevocationList {
  /** PEM. */
  readonly text: string;
  readonly issuedAtMs: number;
  readonly revoked: ReadonlySet<bigint>;
}

interface Authority {
  readonly certificate: X509Certificate;
  readonly list?: RevocationList;
}

/** A trust that was looked at: each part is sound, and fits the others. What TLS would make of a certificate can be told beforehand. */
export class Authorities {
  private constructor(private readonly all: readonly Authority[]) {}

  /** Throws INVALID_REQUEST. */
  static async read({ authorities, revocationLists }: Trust, nowMs: number): Promise<Authorities> {
    const certificates = pemBlocks(authorities, 'CERTIFICATE').map((pem) => readAuthority(pem, nowMs));
    if (certificates.length === 0 || certificates.length > MAX_AUTHORITIES) {
      throw invalid(`it has ${certificates.length} authorities, and not 1 to ${MAX_AUTHORITIES}`);
    }
    if (new Set(certificates.map(({ subject }) => subject)).size < certificates.length) {
      throw invalid('two authorities have the same name, and their revocation lists could not be told apart');
    }
    const x509 = await loadX509();
    const lists = pemBlocks(revocationLists, 'X509 CRL').map((pem) => parse(() => new x509.X509Crl(pem), 'a revocation list'));
    // TLS refuses everybody whose authority has no list as soon as there is one of another.
    if (lists.length !== 0 && lists.length !== certificates.length) {
      throw invalid(`it has ${lists.length} revocation lists for ${certificates.length} authorities; give one of each, or none`);
    }
    return new Authorities(
      await Promise.all(
        certificates.map(async (certificate) => {
          if (lists.length === 0) return { certificate };
          return { certificate, list: await listOf(x509, certificate, lists, nowMs) };
        }),
      ),
    );
  }

  /** What was looked at, and nothing that somebody else might read between the lines: OpenSSL takes blocks of other labels, too. */
  get trust(): Trust {
    return {
      authorities: this.all.map(({ certificate }) => certificate.toString()).join(''),
      revocationLists: this.all.map(({ list }) => list?.text ?? '').join(''),
    };
  }

  /** SHA-256 of each authority's certificate. */
  get fingerprints(): ReadonlySet<string> {
    return new Set(this.all.map(({ certificate }) => certificateFingerprint(certificate)));
  }

  /** Why a certificate would not be taken, undefined when it would. */
  problemOf(certificate: X509Certificate, purpose: keyof typeof PURPOSES, nowMs: number): string | undefined {
    const issuer = this.all.find(({ certificate: authority }) => isIssuedBy(certificate, authority));
    if (!issuer) return 'none of the authorities issued it';
    if (issuer.list?.revoked.has(BigInt(`0x${certificate.serialNumber}`))) return 'it is revoked';
    if (certificate.publicKey.asymmetricKeyDetails?.namedCurve !== 'prime256v1') return 'its key is not ECDSA P-256';
    if (!certificate.keyUsage?.includes(PURPOSES[purpose])) return `it is not for a ${purpose}`;
    return datesProblem(certificate, nowMs);
  }

  /** Why the lists may not take the place of those before: what was revoked must stay so. */
  listProblem(before: Authorities): string | undefined {
    for (const { certificate, list } of before.all) {
      const now = this.all.find((each) => each.certificate.raw.equals(certificate.raw));
      if (!now || !list) continue;
      const name = oneLine(certificate.subject);
      if (!now.list) return `the revocation list of "${name}" would be taken away`;
      if (now.list.issuedAtMs < list.issuedAtMs) return `the revocation list of "${name}" is older than the one in force`;
    }
    return undefined;
  }
}

function readAuthority(pem: string, nowMs: number): X509Certificate {
  const certificate = parse(() => new X509Certificate(pem), 'the certificate of an authority');
  const name = oneLine(certificate.subject);
  if (!certificate.ca) throw invalid(`"${name}" is no authority`);
  if (certificate.publicKey.asymmetricKeyDetails?.namedCurve !== 'prime256v1') throw invalid(`the key of "${name}" is not ECDSA P-256`);
  // TLS follows a chain to a root, and takes nobody's certificate where there is none.
  if (!isIssuedBy(certificate, certificate)) throw invalid(`another authority issued "${name}", and only roots can be trusted`);
  const problem = datesProblem(certificate, nowMs);
  if (problem) throw invalid(`of "${name}", ${problem}`);
  return certificate;
}

async function listOf(
  x509: X509,
  authority: X509Certificate,
  lists: readonly InstanceType<X509['X509Crl']>[],
  nowMs: number,
): Promise<RevocationList> {
  const issuer = new x509.X509Certificate(authority.raw);
  for (const list of lists) {
    if (list.issuer !== issuer.subject || !(await list.verify({ publicKey: issuer }))) continue;
    // TLS takes nobody's certificate while the list is out of date.
    if (!list.nextUpdate || list.nextUpdate.getTime() <= nowMs) throw invalid(`the revocation list of "${issuer.subject}" is out of date`);
    if (list.thisUpdate.getTime() > nowMs)
      throw invalid(`the revocation list of "${issuer.subject}" is of a time to come: compare the clocks`);
    return {
      text: pemOf(list.rawData, 'X509 CRL'),
      issuedAtMs: list.thisUpdate.getTime(),
      revoked: new Set(list.entries.map(({ serialNumber }) => BigInt(`0x${serialNumber}`))),
    };
  }
  throw invalid(`there is no revocation list that "${issuer.subject}" signed`);
}

function isIssuedBy(certificate: X509Certificate, authority: X509Certificate): boolean {
  return certificate.checkIssued(authority) && certificate.verify(authority.publicKey);
}

function datesProblem({ validFrom, validTo }: X509Certificate, nowMs: number): string | undefined {
  if (Date.parse(validFrom) > nowMs) {
    return `the certificate is valid from ${new Date(validFrom).toISOString()}, and the clock of the node says ${new Date(nowMs).toISOString()}`;
  }
  return Date.parse(validTo) <= nowMs ? `the certificate was valid until ${new Date(validTo).toISOString()}` : undefined;
}

function parse<T>(read: () => T, what: string): T {
  try {
    return read();
  } catch (error) {
    throw new Failure('INVALID_REQUEST', `Cannot read ${what}: ${(error as Error).message}`, {}, { cause: error });
  }
}

function invalid(found: string): Failure {
  return new Failure('INVALID_REQUEST', `Cannot use this trust: ${found}`);
}

const oneLine = (name: string): string => name.replaceAll('\n', ', ');
