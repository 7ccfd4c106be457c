// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../../shared/failure.ts';
import type { InstallRequest } from '../../update/installer.ts';
import { Variant } from '../dbus/variant.ts';
import { RAUC, type RaucClient, type Request } from './rauc-client.ts';
import { unsupportedKeyIn } from './rauc-texts.ts';

/** What the RAUC on the bus can do. Another process under its name may be another version. */
export class RaucFeatures {
  readonly #unsupportedKeys = new Set<string>();
  #newEnough = false;

  forget(): void {
    this.#unsupportedKeys.clear();
    this.#newEnough = false;
  }

  /** Asks a new RAUC once. Throws RAUC_UNAVAILABLE for one older than 1.9, which knows no InspectBundle. */
  async requireInspectBundle(client: RaucClient, request: Request): Promise<void> {
    if (this.#newEnough) return;
    if (!hasMethod(await client.introspect(request), 'InspectBundle')) {
      throw new Failure('RAUC_UNAVAILABLE', `Cannot ${request.purpose}: this RAUC has no InspectBundle, which came with version 1.9`);
    }
    this.#newEnough = true;
  }

  /** What InstallBundle is told beside the location: transaction-id since 1.10, require-manifest-hash since 1.14. */
  installArguments({ transactionId, manifestHash }: InstallRequest): Record<string, Variant> {
    const wanted = Object.entries({ 'transaction-id': transactionId, 'require-manifest-hash': manifestHash });
    return Object.fromEntries(
      wanted.flatMap(([key, value]) => (value && !this.#unsupportedKeys.has(key) ? [[key, new Variant('s', value)]] : [])),
    );
  }

  /**
   * Introspection does not show these arguments, but RAUC names the first one that it does not know, and then has not begun.
   * Returns its name when a failure says so for the first time; the call may be repeated without it.
   */
  learnFrom(failure: unknown): string | undefined {
    const key = failure instanceof Failure ? unsupportedKeyIn(failure.message) : undefined;
    if (key === undefined || this.#unsupportedKeys.has(key)) return undefined;
    this.#unsupportedKeys.add(key);
    return key;
  }
}

/** RAUC's own interface alone is looked at. */
export function hasMethod(introspection: string, method: string): boolean {
  const [, opened = ''] = introspection.split(`<interface name="${RAUC.interface}"`);
  const [own = ''] = opened.split('</interface>');
  return own.includes(`<method name="${method}"`);
}
