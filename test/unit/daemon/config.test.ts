// SPDX-License-Identifier: Apache-2.0
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readConfig } from '../../../agent/daemon/config.ts';
import { temporaryFolder } from '../fakes/folder.ts';

const DEFAULTS = {
  listen: '[::]:7443',
  tls: { folder: '/etc/lamadist-agent/tls' },
  metrics: { listen: '127.0.0.1:9477', tls: false },
  health: {
    folders: ['/usr/lib/lamadist-agent/health.d', '/etc/lamadist-agent/health.d'],
    'gate-deadline': 300_000,
    period: 60_000,
  },
  units: { restart: [] },
  download: { 'maximum-size': 4 * 2 ** 30, 'no-proxy': [] },
  updates: { 'clock-patience': 600_000 },
  log: { level: 'info' },
};

async function read(text: string) {
  const file = join(await temporaryFolder(), 'config.yaml');
  await writeFile(file, text);
  return readConfig(file);
}

describe('the configuration', () => {
  it('is all defaults without a file', async () => {
    expect(await readConfig(join(await temporaryFolder(), 'config.yaml'))).toEqual(DEFAULTS);
  });

  it.each(['', '# nothing yet\n', '{}', 'health: {}\nlog: {}\n'])('is all defaults in %j', async (text) => {
    expect(await read(text)).toEqual(DEFAULTS);
  });

  it('takes every field', async () => {
    const text = `listen: 0.0.0.0:8443
tls: { folder: /srv/tls }
metrics: { listen: "[::1]:9000" }
health: { folders: [/a, /b], gate-deadline: 90s, period: 1h }
units: { restart: [k3s.service, getty@tty1.service] }
download: { maximum-size: 512MiB, ca-file: /etc/ca.pem, proxy: "http://proxy.lan:3128", no-proxy: [lan] }
updates: { clock-patience: 30s }
log: { level: debug }
`;
    expect(await read(text)).toEqual({
      listen: '0.0.0.0:8443',
      tls: { folder: '/srv/tls' },
      metrics: { listen: '[::1]:9000', tls: false },
      health: { folders: ['/a', '/b'], 'gate-deadline': 90_000, period: 3_600_000 },
      units: { restart: ['k3s.service', 'getty@tty1.service'] },
      download: { 'maximum-size': 512 * 2 ** 20, 'ca-file': '/etc/ca.pem', proxy: 'http://proxy.lan:3128', 'no-proxy': ['lan'] },
      updates: { 'clock-patience': 30_000 },
      log: { level: 'debug' },
    });
  });

  it.each(['127.0.0.1:9477', '127.1.2.3:80', '[::1]:9477', 'localhost:9477'])('lets the metrics be served on %s', async (address) => {
    expect((await read(`metrics: { listen: "${address}" }`)).metrics.listen).toBe(address);
  });

  const LOOPBACK = '"metrics.listen" must be a loopback address, or "metrics.tls" true: the metrics are served without TLS';
  it.each(['0.0.0.0:9477', '[::]:9477', '10.0.0.5:9477', '127.example.org:9477', 'localhost.example.org:9477'])(
    'never lets the metrics be served on %s',
    async (address) => {
      await expect(read(`metrics: { listen: "${address}" }`)).rejects.toThrow(LOOPBACK);
    },
  );

  const ADDRESS = 'must be an address such as "0.0.0.0:7443" or "[::]:7443"';
  const DURATION = 'must be a duration such as "10s" or "5m"';
  const SIZE = 'must be a size such as "64MiB" or "4GiB"';
  it.each([
    ['listn: x', 'line 1: "listn" is not a known field: write "listen"'],
    ['health:\n  interval: 5s', 'line 2: "health.interval" is not a known field: use one of folders, gate-deadline, period'],
    ['download: { proxy: "socks5://proxy.lan" }', 'line 1: "download.proxy" must be a URL such as "http://proxy.lan:3128"'],
    [
      'health: { gate-deadline: 30m }',
      'line 1: "health.gate-deadline" must be at most "10m": the commit deadline of a trial is 15 minutes',
    ],
    ['listen: 7443', 'line 1: "listen" must be string, not 7443'],
    ['listen: "7443"', `line 1: "listen" ${ADDRESS}`],
    ['listen: attic', `line 1: "listen" ${ADDRESS}`],
    ['listen: "attic:0"', `line 1: "listen" ${ADDRESS}`],
    ['listen: "attic:65536"', `line 1: "listen" ${ADDRESS}`],
    ['listen: "[:::]:7443"', `line 1: "listen" ${ADDRESS}`],
    ['listen: "256.0.0.1:7443"', `line 1: "listen" ${ADDRESS}`],
    ['tls: /etc/tls', 'line 1: "tls" must be a mapping, not "/etc/tls"'],
    ['units: { restart: [k3s] }', 'line 1: "units.restart.0" must be the whole name of a service, such as "k3s.service"'],
    ['log: { level: info }\ntls:', 'line 2: "tls" must be a mapping, not null'],
    ['tls: { folder: tls }', 'line 1: "tls.folder" must be an absolute path'],
    ['health: { folders: [] }', 'line 1: "health.folders" must name a folder'],
    ['health:\n  folders:\n    - /a\n    - b', 'line 4: "health.folders.1" must be an absolute path'],
    ['health: { period: 10 }', 'line 1: "health.period" must be string, not 10'],
    ['health: { period: 10 minutes }', `line 1: "health.period" ${DURATION}`],
    ['health: { gate-deadline: "" }', `line 1: "health.gate-deadline" ${DURATION}`],
    ['health: { period: 999ms }', 'line 1: "health.period" must be at least "1s"'],
    ['download: { maximum-size: 4 GB }', `line 1: "download.maximum-size" ${SIZE}`],
    ['download: { ca-file: ca.pem }', 'line 1: "download.ca-file" must be an absolute path'],
    ['log: { level: loud }', 'line 1: "log.level" must be ("debug" | "info" | "warn" | "error"), not "loud"'],
    ['listen: a:1\nlisten: b:1', 'line 2: "listen" is given twice: keep one of the two'],
    ['listen: ]', 'line 1: "listen" is not valid YAML'],
    ['just words', 'line 1: must be a mapping, not "just words"'],
  ])('in %j is refused with line, field and remedy', async (text, message) => {
    const refused = await read(text).catch((error) => error);
    expect(refused).toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringMatching(/^Cannot use .*\/config\.yaml: line \d+: /) });
    expect(refused.message).toContain(message);
    expect(refused.facts).toMatchObject({ file: expect.stringMatching(/config\.yaml$/), line: expect.stringMatching(/^\d$/) });
  });

  it('that cannot be read is not taken for none', async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, 'config.yaml'));
    await expect(readConfig(join(folder, 'config.yaml'))).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(/^Cannot read .*: EISDIR/),
    });
  });
});
