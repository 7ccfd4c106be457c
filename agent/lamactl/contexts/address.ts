// SPDX-License-Identifier: Apache-2.0
import { DEFAULT_PORT } from '../../shared/tls.ts';

const BRACKETED = /^\[(?<host>[0-9A-Fa-f:.%]+)\](?::(?<port>\d+))?$/;
const PLAIN = /^(?<host>[0-9A-Za-z._-]+)(?::(?<port>\d+))?$/;
const BARE_IPV6 = /^[0-9A-Fa-f]*(?::[0-9A-Fa-f]*){2,}$/;

/** The two parts of an address as parseAddress() gives it; an IPv6 address without its brackets. */
export function hostAndPort(address: string): { readonly host: string; readonly port: number } {
  const at = address.lastIndexOf(':');
  return { host: address.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(address.slice(at + 1)) };
}

/**
 * `host:port` of an address in a context file: a name or IPv4 address, or an IPv6 address in brackets, each with or
 * without a port. Undefined when it is none of these.
 */
export function parseAddress(address: string): string | undefined {
  if (BARE_IPV6.test(address)) return `[${address}]:${DEFAULT_PORT}`;
  const match = BRACKETED.exec(address) ?? PLAIN.exec(address);
  if (!match?.groups) return undefined;
  const port = Number(match.groups.port ?? DEFAULT_PORT);
  if (port < 1 || port > 65_535) return undefined;
  return `${address.startsWith('[') ? `[${match.groups.host}]` : match.groups.host}:${port}`;
}
