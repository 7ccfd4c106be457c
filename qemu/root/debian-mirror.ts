// SPDX-License-Identifier: Apache-2.0
import { run } from '../host/command.ts';

const OVERRIDE = 'LAMADIST_DEBIAN_MIRROR';

/**
 * The Debian mirror of this machine's own apt configuration, whichever format it is written in: apt itself is asked.
 * The environment variable LAMADIST_DEBIAN_MIRROR names another one, for a machine that is no Debian.
 */
export async function debianMirror(): Promise<string> {
  const named = process.env[OVERRIDE];
  if (named) return named;
  const targets = await run(['apt-get', 'indextargets', '--format', '$(REPO_URI) $(COMPONENT)', 'Created-By: Packages'], {
    timeoutMs: 30_000,
  });
  const mirror = pickMirror(targets);
  if (!mirror) throw new Error(`Cannot find a Debian mirror: apt's configuration names none; set ${OVERRIDE}`);
  return mirror;
}

/** Picks the main archive out of apt's answer: lines of "URI component"; security and third-party archives end otherwise. */
export function pickMirror(targets: string): string | undefined {
  return targets
    .split('\n')
    .map((line) => line.split(' '))
    .find(([uri, component]) => component === 'main' && /\/debian\/?$/.test(uri ?? ''))?.[0];
}

/** How this machine's apt reaches its mirrors (proxies, certificates), as lines of apt configuration. */
export async function aptTransport(): Promise<string> {
  const all = await run(['apt-config', 'dump', '--no-empty'], { timeoutMs: 30_000 });
  return `${all
    .split('\n')
    .filter((line) => /^Acquire::(https?|Retries|Check-|AllowInsecure)/.test(line))
    .join('\n')}\n`;
}
