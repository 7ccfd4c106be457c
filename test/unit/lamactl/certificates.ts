// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder of P-256 certificates, made with openssl for one test file. */
export class Certificates {
  readonly folder = mkdtempSync(join(tmpdir(), 'lamactl-test-'));

  /** Makes `<name>.pem` and `<name>.key`, signed by themselves. */
  authority(name: string): void {
    this.#openssl(['req', '-x509', ...newKey(name), '-out', `${name}.pem`, '-subj', `/CN=${name}`, '-days', '3650']);
  }

  /**
   * Makes `<name>.pem` and `<name>.key`, signed by an authority; valid for so many days, or expired at once with 0. Unless a test says
   * otherwise it outlasts the clocks that run ahead of the world's.
   */
  leaf(name: string, authority: string, days = 3000, organization = 'lamadist:admin'): void {
    writeFileSync(join(this.folder, `${name}.ext`), `subjectAltName=DNS:${name}\n`);
    this.#openssl(['req', ...newKey(name), '-out', `${name}.csr`, '-subj', `/O=${organization}/CN=${name}`]);
    const signer = ['-CA', `${authority}.pem`, '-CAkey', `${authority}.key`, '-CAcreateserial'];
    this.#openssl(['x509', '-req', '-in', `${name}.csr`, ...signer, '-out', `${name}.pem`, '-extfile', `${name}.ext`, '-days', `${days}`]);
  }

  path(file: string): string {
    return join(this.folder, file);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }

  #openssl(argv: readonly string[]): void {
    execFileSync('openssl', argv, { cwd: this.folder, stdio: ['ignore', 'ignore', 'pipe'] });
  }
}

function newKey(name: string): readonly string[] {
  return ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', `${name}.key`];
}
