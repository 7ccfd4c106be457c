// SPDX-License-Identifier: Apache-2.0
import { CertificateAuthority, type Credentials, type Validity } from './certificate-authority.ts';

export type Role = 'node' | 'admin' | 'operator' | 'reader' | 'monitor';

/** The keys of one installation, made at run time: who signs bundles, and who may speak to whom. */
export class TestPki {
  private constructor(
    /** Signs the certificates of nodes and of administrators. */
    readonly agentAuthority: CertificateAuthority,
    /** Its certificate is RAUC's keyring. */
    readonly bundleAuthority: CertificateAuthority,
    readonly bundleSigner: Credentials,
  ) {}

  static async create(): Promise<TestPki> {
    const bundleAuthority = await CertificateAuthority.create('LamaDist test bundles');
    const bundleSigner = await bundleAuthority.issue({ commonName: 'bundle signer', purpose: 'code-signing' });
    return new TestPki(await CertificateAuthority.create('LamaDist test nodes'), bundleAuthority, bundleSigner);
  }

  /** What a node presents: its name and its address. */
  node(name: string, address: string): Promise<Credentials> {
    return this.agentAuthority.issue({
      commonName: name,
      organization: 'lamadist:node',
      purpose: 'node',
      dnsNames: [name],
      ipAddresses: [address],
    });
  }

  /** What a client presents: the certificate's Organization is its role. */
  client(role: Role, validity?: Validity): Promise<Credentials> {
    return this.agentAuthority.issue({
      commonName: role,
      organization: `lamadist:${role}`,
      purpose: 'client',
      ...(validity && { validity }),
    });
  }

  /** A client whose certificate was valid until yesterday. */
  expiredClient(role: Role): Promise<Credentials> {
    const now = Date.now();
    return this.client(role, { notBefore: new Date(now - 48 * 3_600_000), notAfter: new Date(now - 24 * 3_600_000) });
  }
}
