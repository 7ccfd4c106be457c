// SPDX-License-Identifier: Apache-2.0
import type { VirtualNode } from '../../qemu/driver.ts';
import { TpmUser } from '../integration/fakes/tpm-user.ts';
import { QUICK } from '../integration/node/kind-of-node.ts';

const FOLDER = '/run/tpm-user';

/** The TPM of a machine, as its root may use it: with the very keys of the agent, called "ek" and "ak". */
export class MachineTpm extends TpmUser {
  private constructor(private readonly node: VirtualNode) {
    super();
  }

  static async of(node: VirtualNode): Promise<MachineTpm> {
    const tpm = new MachineTpm(node);
    await tpm.#run(`mkdir -p ${FOLDER}`);
    for (const [key, handle] of [
      ['ek', '0x81010001'],
      ['ak', '0x81010020'],
    ] as const) {
      await tpm.tool('readpublic', '-c', handle, '-f', 'tss', '-o', `@${key}.pub`, '-t', `@${key}.ctx`);
    }
    return tpm;
  }

  tool(name: string, ...args: string[]): Promise<string> {
    const paths = args.map((arg) => arg.replace(/^(session:)?@/, `$1${FOLDER}/`).replace(/.*/, "'$&'"));
    return this.#run(`TPM2TOOLS_TCTI=${this.node.tcti} tpm2_${name} ${paths.join(' ')}`);
  }

  async file(name: string): Promise<Buffer> {
    return Buffer.from(await this.#run(`base64 -w0 ${FOLDER}/${name}`), 'base64');
  }

  async write(name: string, bytes: Buffer): Promise<void> {
    await this.#run(`base64 -d >${FOLDER}/${name}`, bytes.toString('base64'));
  }

  async #run(command: string, input?: string): Promise<string> {
    const { exitCode, stdout, stderr } = await this.node.shell(command, { ...QUICK, ...(input === undefined ? {} : { input }) });
    if (exitCode !== 0) throw new Error(`Cannot run "${command}": ${stderr}`);
    return stdout;
  }
}
