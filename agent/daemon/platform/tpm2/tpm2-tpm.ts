// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../../../shared/failure.ts';
import type { Credential, PcrBank, Tpm, TpmIdentity, TpmQuote } from '../../attestation/tpm.ts';
import { writeDurably } from '../../files/durable-file.ts';
import { derLength } from './der-length.ts';
import type { Tpm2Tools } from './tpm2-tools.ts';

/** TCG TPM 2.0 Handle Registry: 81 01 00 00 to 81 01 FF FF are for keys of the endorsement hierarchy. */
interface Handles {
  readonly ek: string;
  readonly ak: string;
}

const USUAL_HANDLES: Handles = { ek: '0x81010001', ak: '0x81010020' };

/** Where the maker of a TPM puts the endorsement certificate of each kind of key: TCG EK Credential Profile, 2.2.1.4. */
const CERTIFICATE_INDEX = { ecc: '0x1c0000a', rsa: '0x1c00002' } as const;
/** An EK with P-256 first; some TPMs can't. */
const ALGORITHMS = ['ecc', 'rsa'] as const;
type Algorithm = (typeof ALGORITHMS)[number];
const AK_KIND = { ecc: 'ecc256:ecdsa-sha256:null', rsa: 'rsa2048:rsassa-sha256:null' } as const;
/**
 * Without "noda" the TPM counts each power cut after a quote as a failed try to guess the key's password, which is empty, and locks
 * itself after a few: TPM 2.0 Part 1, "Dictionary Attack Protection", on shutdowns that are not orderly.
 */
const AK_ATTRIBUTES = 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|restricted|sign|noda';
/** TPM_ALG_ECC: where TPM2B_PUBLIC says of which kind the key is. */
const ECC = 0x0023;
const PCRS = '0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15';
/** PCR 10 moves with every file that IMA measures: when it moved while it was read, the tool fails, and is asked again. */
const QUOTE_ATTEMPTS = 5;

/** The node's TPM by way of tpm2-tools, which need no more than access to its device. */
export class Tpm2Tpm implements Tpm {
  #akName: Buffer | undefined;

  constructor(
    private readonly tools: Tpm2Tools,
    /** Where a folder for the files of each question is made, and taken away after it. */
    private readonly parentFolder: string,
    /** Where the AK's name is kept, so that another key at its handle is noticed. */
    private readonly nameFile: string,
    private readonly handles: Handles = USUAL_HANDLES,
  ) {}

  identity(signal: AbortSignal): Promise<TpmIdentity> {
    return this.#inFolder(signal, async (files) => {
      const ekPublic = (await this.#publicAt(files, this.handles.ek)) ?? (await this.#createEk(files));
      const algorithm = algorithmOf(ekPublic);
      const akPublic = (await this.#publicAt(files, this.handles.ak)) ?? (await this.#createAk(files, algorithm));
      await this.#requireSameAk(files);
      return { ekCertificate: await this.#certificate(files, algorithm), ekPublic, akPublic };
    });
  }

  activate({ idObject, encryptedSecret }: Credential, signal: AbortSignal): Promise<Buffer> {
    return this.#inFolder(signal, async (files) => {
      // The header of a file of tpm2-tools: a magic number and version 1.
      await files.write('credential', Buffer.concat([Buffer.from('badcc0de00000001', 'hex'), idObject, encryptedSecret]));
      await this.#withEk(files, async (parent) => {
        const args = ['-c', this.handles.ak, ...(await parent()), '-i', 'credential', '-o', 'secret'];
        await files.run('activatecredential', ...args).catch(refused);
      });
      return files.read('secret');
    });
  }

  quote(bank: PcrBank, qualifyingData: Buffer, signal: AbortSignal): Promise<TpmQuote> {
    const out = ['-m', 'attest', '-s', 'signature', '-f', 'tss', '-o', 'pcrs', '-F', 'values', '-g', 'sha256'];
    const args = ['-c', this.handles.ak, '-l', `${bank}:${PCRS}`, '-q', qualifyingData.toString('hex'), ...out];
    return this.#inFolder(signal, async (files) => {
      // A quote by another key than its own would prove nothing of the node.
      if (!(await this.#publicAt(files, this.handles.ak))) await this.identity(signal);
      else await this.#requireSameAk(files);
      for (let attempt = 1; ; attempt++) {
        try {
          await files.run('quote', ...args);
          break;
        } catch (thrown) {
          if (attempt === QUOTE_ATTEMPTS || signal.aborted) throw thrown;
        }
      }
      const [attest, signature, values] = [await files.read('attest'), await files.read('signature'), await files.read('pcrs')];
      const size = values.length / 16;
      return { attest, signature, pcrValues: Array.from({ length: 16 }, (_, pcr) => values.subarray(pcr * size, (pcr + 1) * size)) };
    });
  }

  /** TPM2B_PUBLIC of a persistent key; undefined when there is none. */
  async #publicAt(files: Files, handle: string): Promise<Buffer | undefined> {
    try {
      await files.run('readpublic', '-c', handle, '-f', 'tss', '-o', 'public', '-n', 'name');
    } catch (thrown) {
      if (NO_SUCH_HANDLE.test(Failure.from(thrown).message)) return undefined;
      throw thrown;
    }
    return files.read('public');
  }

  async #createEk(files: Files): Promise<Buffer> {
    const [first, second] = ALGORITHMS;
    const create = (algorithm: Algorithm) => files.run('createek', '-c', this.handles.ek, '-G', algorithm, '-u', 'ek', '-f', 'tss');
    await create(first).catch(() => create(second));
    await files.run('flushcontext', '--transient-object');
    return files.read('ek');
  }

  async #createAk(files: Files, algorithm: Algorithm): Promise<Buffer> {
    await this.#withEk(files, async (parent) => {
      const key = ['-G', AK_KIND[algorithm], '-g', 'sha256', '-a', AK_ATTRIBUTES];
      await files.run('create', ...(await parent()), ...key, '-u', 'public', '-r', 'private');
      await files.run('load', ...(await parent()), '-u', 'public', '-r', 'private', '-c', 'ak', '-n', 'name');
    });
    await this.#remember(await files.read('name'));
    await files.run('evictcontrol', '-C', 'o', '-c', 'ak', this.handles.ak);
    await files.run('flushcontext', '--transient-object');
    return files.read('public');
  }

  /**
   * An EK may only be used in a session that proves the hierarchy's authorisation, anew for each use: EK Credential Profile, B.3.
   * `parent` does, and returns the arguments that name the EK.
   */
  async #withEk(files: Files, work: (parent: () => Promise<readonly string[]>) => Promise<void>): Promise<void> {
    await files.run('startauthsession', '--policy-session', '-S', 'session');
    try {
      await work(async () => {
        await files.run('policysecret', '-S', 'session', '-c', 'e');
        return ['-C', this.handles.ek, '-P', 'session:session'];
      });
    } finally {
      await files.run('flushcontext', 'session');
    }
  }

  /**
   * The verifier would notice another key too; here it is told at once, and by whom. Where nobody knows any more which key was
   * made, for the data of the node was wiped, the one that is there is taken: whether to believe in it is the verifier's to say.
   */
  async #requireSameAk(files: Files): Promise<void> {
    const name = await files.read('name');
    this.#akName ??= await readFile(this.nameFile).catch(notThere);
    if (!this.#akName) return this.#remember(name);
    if (this.#akName.equals(name)) return;
    throw new Failure('TPM_UNAVAILABLE', `Cannot use the attestation key: another key is at ${this.handles.ak}`, {
      handle: this.handles.ak,
    });
  }

  async #remember(name: Buffer): Promise<void> {
    await writeDurably(this.nameFile, name, 0o600);
    this.#akName = name;
  }

  /** Without the padding that some makers leave behind it; empty when there is none. */
  async #certificate(files: Files, algorithm: Algorithm): Promise<Buffer> {
    try {
      await files.run('nvread', CERTIFICATE_INDEX[algorithm], '-C', 'o', '-o', 'certificate');
    } catch (thrown) {
      // A TPM that is locked, gone or too slow has not said that there is none.
      if (Failure.from(thrown).code !== 'TPM_UNAVAILABLE') throw thrown;
      return Buffer.alloc(0);
    }
    const bytes = await files.read('certificate');
    return bytes.subarray(0, derLength(bytes));
  }

  async #inFolder<T>(signal: AbortSignal, work: (files: Files) => Promise<T>): Promise<T> {
    const folder = await mkdtemp(join(this.parentFolder, 'tpm-'));
    try {
      return await work({
        run: (name, ...args) => this.tools.run(name, args, folder, signal),
        read: (name) => readFile(join(folder, name)),
        write: (name, bytes) => writeFile(join(folder, name), bytes, { mode: 0o600 }),
      });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
}

/** TPM_RC_HANDLE of the first handle: TPM 2.0 Part 2, 6.6.3. */
const NO_SUCH_HANDLE = /\b0x0*18b\b/i;

interface Files {
  run(tool: string, ...args: readonly string[]): Promise<void>;
  read(name: string): Promise<Buffer>;
  write(name: string, bytes: Buffer): Promise<void>;
}

function notThere(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}

function algorithmOf(area: Buffer): Algorithm {
  return area.readUInt16BE(2) === ECC ? 'ecc' : 'rsa';
}

function refused(thrown: unknown): never {
  const failure = Failure.from(thrown);
  if (failure.code !== 'TPM_UNAVAILABLE') throw failure;
  throw new Failure('CREDENTIAL_REFUSED', `Cannot activate the credential: ${failure.message}`, {}, { cause: thrown });
}
