// SPDX-License-Identifier: Apache-2.0
import { HttpsProxyAgent } from 'https-proxy-agent';

/** How servers are reached from this node. */
export interface ProxySettings {
  /** http: or https:, with a user's name and password where the proxy asks for them. */
  readonly url: string;
  /** Hosts, and domains with all that is in them, that are reached without the proxy. */
  readonly except: readonly string[];
}

/**
 * The agent for a connection to this host: a tunnel through the proxy (RFC 9110, section 9.3.6), or false for none. The signal
 * ends it, also while the proxy has not answered yet.
 */
export function proxyAgent(settings: ProxySettings | undefined, host: string, signal: AbortSignal): HttpsProxyAgent<string> | false {
  if (!settings || settings.except.some((name) => covers(name, host))) return false;
  const agent = new HttpsProxyAgent(settings.url);
  // Both net.connect and tls.connect destroy their socket for it; the agent's own type does not know.
  Object.assign(agent.connectOpts, { signal });
  return agent;
}

/** `lan` and `.lan` cover lan and images.lan. */
function covers(name: string, host: string): boolean {
  const domain = name.toLowerCase().replace(/^\./, '');
  return host === domain || host.endsWith(`.${domain}`);
}
