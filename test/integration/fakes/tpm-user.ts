// SPDX-License-Identifier: Apache-2.0
import type { Credential } from '../../../agent/lamactl/attest/tpm/make-credential.ts';

export type Algorithm = 'ecc' | 'rsa';

export interface Quote {
  readonly attest: Buffer;
  readonly signature: Buffer;
}

/** What a node does with its TPM, and what its root could do: Debian's tpm2-tools, in a folder of their own. */
export abstract class TpmUser {
  /** Runs one of tpm2-tools, in whose arguments "@name" is a file of the folder. */
  abstract tool(name: string, ...args: string[]): Promise<string>;
  abstract file(name: string): Promise<Buffer>;
  abstract write(name: string, bytes: Buffer): Promise<void>;

  /** Without a resource manager, what is loaded stays loaded. */
  async flush(): Promise<void> {
    await this.tool('flushcontext', '--transient-object');
  }

  /** Makes an EK from its usual template; returns TPM2B_PUBLIC. */
  async createEk(algorithm: Algorithm): Promise<Buffer> {
    await this.tool('createek', '-c', '@ek.ctx', '-G', algorithm, '-u', '@ek.pub', '-f', 'tss');
    await this.flush();
    return this.file('ek.pub');
  }

  /** Makes an AK below the EK; returns TPM2B_PUBLIC. */
  async createAk(algorithm: Algorithm, name = 'ak'): Promise<Buffer> {
    const scheme = algorithm === 'ecc' ? 'ecdsa' : 'rsassa';
    const key = ['-G', algorithm, '-g', 'sha256', '-s', scheme, '-u', `@${name}.pub`, '-f', 'tss', '-n', `@${name}.name`];
    await this.tool('createak', '-C', '@ek.ctx', '-c', `@${name}.ctx`, ...key);
    await this.flush();
    return this.file(`${name}.pub`);
  }

  /** Makes a restricted signing key that is no child of the EK: a primary key of the owner. */
  async createOwnersKey(name: string): Promise<Buffer> {
    const attributes = 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|restricted|sign';
    await this.tool('createprimary', '-C', 'o', '-G', 'ecc256:ecdsa-sha256:null', '-c', `@${name}.ctx`, '-a', attributes);
    await this.tool('readpublic', '-c', `@${name}.ctx`, '-f', 'tss', '-o', `@${name}.pub`);
    await this.flush();
    return this.file(`${name}.pub`);
  }

  /** What a node does with a credential; throws when the TPM refuses. */
  async activate({ idObject, encryptedSecret }: Credential, name = 'ak'): Promise<Buffer> {
    // The header that tpm2_activatecredential wants before the two structures.
    const blob = Buffer.concat([Buffer.from('badcc0de00000001', 'hex'), idObject, encryptedSecret]);
    await this.write('credential', blob);
    try {
      await this.tool('startauthsession', '--policy-session', '-S', '@session.ctx');
      await this.tool('policysecret', '-S', '@session.ctx', '-c', 'e');
      const keys = ['-c', `@${name}.ctx`, '-C', '@ek.ctx', '-P', 'session:@session.ctx'];
      await this.tool('activatecredential', ...keys, '-i', '@credential', '-o', '@secret');
      return await this.file('secret');
    } finally {
      await this.tool('flushcontext', '@session.ctx');
      await this.flush();
    }
  }

  /** Extends a PCR in the banks, in order: "4:sha1=…,sha256=…". */
  async extend(specs: readonly string[]): Promise<void> {
    await this.tool('pcrextend', ...specs);
  }

  async quote(selection: string, qualifyingData: Buffer, name = 'ak'): Promise<Quote> {
    const out = ['-m', '@quote.attest', '-s', '@quote.signature', '-f', 'tss', '-g', 'sha256'];
    await this.tool('quote', '-c', `@${name}.ctx`, '-l', selection, '-q', qualifyingData.toString('hex'), ...out);
    await this.flush();
    return { attest: await this.file('quote.attest'), signature: await this.file('quote.signature') };
  }

  /** Something that the AK signs and that is no quote: TPM2_GetTime. */
  async signedTime(qualifyingData: Buffer): Promise<Quote> {
    const out = ['--attestation', '@time.attest', '-o', '@time.signature', '-f', 'tss', '-g', 'sha256'];
    await this.tool('gettime', '-c', '@ak.ctx', '-q', qualifyingData.toString('hex'), ...out);
    await this.flush();
    return { attest: await this.file('time.attest'), signature: await this.file('time.signature') };
  }

  /** What the AK signs of any bytes that do not begin as a TPM's own words do: a restricted key wants a ticket that says so. */
  async sign(bytes: Buffer, name = 'ak'): Promise<Quote> {
    await this.write('words', bytes);
    await this.tool('hash', '-C', 'e', '-g', 'sha256', '-o', '@words.digest', '-t', '@words.ticket', '@words');
    const out = ['-f', 'tss', '-o', '@words.signature'];
    await this.tool('sign', '-c', `@${name}.ctx`, '-g', 'sha256', '-d', '-t', '@words.ticket', ...out, '@words.digest');
    await this.flush();
    return { attest: bytes, signature: await this.file('words.signature') };
  }

  /** The values of some PCRs, by their numbers. */
  async pcrs(bank: string, numbers: readonly number[]): Promise<Record<string, Buffer>> {
    await this.tool('pcrread', `${bank}:${numbers.join(',')}`, '-o', '@pcrs');
    const bytes = await this.file('pcrs');
    const size = bytes.length / numbers.length;
    return Object.fromEntries(numbers.map((number, index) => [String(number), bytes.subarray(index * size, (index + 1) * size)]));
  }
}
