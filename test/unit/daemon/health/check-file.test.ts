// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Check } from '../../../../agent/daemon/health/check.ts';
import { LARGEST_FILE_BYTES, readCheckFile } from '../../../../agent/daemon/health/check-file.ts';

const FILE = '/etc/lamadist-agent/health.d/k3s.yaml';

function read(text: string, file = FILE) {
  return readCheckFile(file, Buffer.from(text));
}

function checkOf(text: string): Check {
  const outcome = read(text);
  if (outcome.type === 'broken') throw new Error(JSON.stringify(outcome.broken));
  return outcome.check;
}

/** Every complaint as `line field: message`. */
function complaints(text: string, file?: string): string[] {
  const outcome = read(text, file);
  return outcome.type === 'broken' ? outcome.broken.map(({ line, field, message }) => `${line} ${field}: ${message}`) : [];
}

function withCondition(condition: string): string {
  return `severity: required\ncondition: ${condition}\n`;
}

describe('a check', () => {
  test('has every field', () => {
    const text = [
      'description: The cluster answers',
      'severity: advisory',
      'interval: 500ms',
      'timeout: 1m',
      'retries: 7',
      'condition:',
      '  type: unit-active',
      '  unit: k3s.service',
    ];
    expect(checkOf(text.join('\n'))).toEqual({
      name: 'k3s',
      description: 'The cluster answers',
      severity: 'advisory',
      intervalMs: 500,
      timeoutMs: 60_000,
      retries: 7,
      condition: { type: 'unit-active', unit: 'k3s.service' },
    });
  });

  test('may leave out all but severity and condition', () => {
    expect(checkOf(withCondition('{type: clock-synchronised}'))).toMatchObject({
      description: '',
      intervalMs: 5000,
      timeoutMs: 10_000,
      retries: 3,
    });
  });

  test.each([
    ['{type: no-failed-units}', { type: 'no-failed-units', except: [] }],
    ['{type: no-failed-units, except: [a@b.service]}', { type: 'no-failed-units', except: ['a@b.service'] }],
    ['{type: tcp, host: "::1", port: 22}', { type: 'tcp', host: '::1', port: 22 }],
    ['{type: tcp, host: nas.home.arpa, port: 2049}', { type: 'tcp', host: 'nas.home.arpa', port: 2049 }],
    ['{type: http, url: "http://127.0.0.1/x"}', { type: 'http', url: 'http://127.0.0.1/x' }],
    ['{type: http, url: "https://a", status: 401, ca-file: /ca.pem}', { type: 'http', url: 'https://a', status: [401], caFile: '/ca.pem' }],
    ['{type: http, url: "https://a", status: [200, 401]}', { type: 'http', url: 'https://a', status: [200, 401] }],
    ['{type: command, argv: [/usr/bin/test, -e, "5"]}', { type: 'command', argv: ['/usr/bin/test', '-e', '5'] }],
    ['{type: mount-writable, path: /var}', { type: 'mount-writable', path: '/var', persistent: false }],
    ['{type: mount-writable, path: /var, persistent: true}', { type: 'mount-writable', path: '/var', persistent: true }],
    ['{type: free-space, path: /var, minimum: 64MiB}', { type: 'free-space', path: '/var', minimumBytes: 64 * 1024 ** 2 }],
    ['{type: free-space, path: /var, minimum: 4096}', { type: 'free-space', path: '/var', minimumBytes: 4096 }],
    ['{type: clock-synchronised}', { type: 'clock-synchronised' }],
    [
      '{type: all-of, conditions: [{type: any-of, conditions: [{type: clock-synchronised}]}]}',
      { type: 'all-of', conditions: [{ type: 'any-of', conditions: [{ type: 'clock-synchronised' }] }] },
    ],
  ])('asks for %s', (text, condition) => {
    expect(checkOf(withCondition(text)).condition).toEqual(condition);
  });
});

describe('a broken file', () => {
  test('names file, line, field and remedy of everything that is wrong', () => {
    const text = 'severity: must\ninterval: 10\nretries: -1\nseverty: 3\ncondition:\n  type: tcp\n  host: localhost\n  prot: 22\n';
    expect(complaints(text)).toEqual([
      '1 severity: must be "required" or "advisory"',
      '2 interval: must be a duration from 100ms to 1h, such as "500ms", "10s" or "5m"',
      '3 retries: must be a whole number from 0 to 1000',
      '4 severty: unknown field: write "severity"',
      '5 condition.port: missing: add a whole number from 1 to 65535',
      '8 condition.prot: unknown field: write "port"',
    ]);
    expect(read(text)).toMatchObject({ type: 'broken', broken: [{ file: FILE }, {}, {}, {}, {}, {}] });
  });

  test('names the place within lists of conditions', () => {
    const text =
      'severity: required\ncondition:\n  type: all-of\n  conditions:\n    - type: clock-synchronised\n    - type: tcp\n      host: a\n      port: 0\n';
    expect(complaints(text)).toEqual(['8 condition.conditions[1].port: must be a whole number from 1 to 65535']);
  });

  test.each([
    ['{type: tpc}', '2 condition.type: unknown type: write "tcp"'],
    ['{type: http, uri: "http://a"}', '2 condition.url: missing: add an http: or https: URL without user name and password'],
    ['{type: http, url: "ftp://a"}', '2 condition.url: must be an http: or https: URL without user name and password'],
    ['{type: http, url: "http://u:p@a"}', '2 condition.url: must be an http: or https: URL without user name and password'],
    ['{type: http, url: "http://a", status: [200, 99]}', '2 condition.status[1]: must be a status from 100 to 599, or a list of them'],
    ['{type: unit-active, unit: k3s}', '2 condition.unit: must be the full name of a systemd unit, such as "k3s.service"'],
    ['{type: tcp, host: "[::1]", port: 1}', '2 condition.host: must be a host name or an IP address, without brackets'],
    ['{type: command, argv: [/bin/sleep, 5]}', '2 condition.argv[1]: must be text: put it in quotes'],
    [
      '{type: command, argv: [sleep]}',
      '2 condition.argv: must be a list of 1 to 64 texts, the first of them the absolute path of a program',
    ],
    ['{type: command, argv: []}', '2 condition.argv: must be a list of 1 to 64 texts, the first of them the absolute path of a program'],
    ['{type: mount-writable, path: /var, persistent: 1}', '2 condition.persistent: must be true or false'],
    ['{type: mount-writable, path: var}', '2 condition.path: must be an absolute path'],
    ['{type: free-space, path: /, minimum: 5GB}', '2 condition.minimum: must be a size such as "64MiB" or "1GiB", or a number of bytes'],
    ['{type: free-space, path: /, minimum: .nan}', '2 condition.minimum: must be a size such as "64MiB" or "1GiB", or a number of bytes'],
    ['{type: all-of, conditions: []}', '2 condition.conditions: must be a list of 1 to 16 conditions'],
    ['tcp', '2 condition: must be a map of fields, such as "type: clock-synchronised"'],
    ['', '2 condition: must be a map of fields, such as "type: clock-synchronised"'],
  ])('says what to write instead of %s', (condition, complaint) => {
    expect(complaints(withCondition(condition))).toContain(complaint);
  });

  test('an unknown type without a near one is told all there are', () => {
    expect(complaints(withCondition('{type: ping}'))[0]).toMatch(
      /must be one of unit-active, no-failed-units, tcp, http, .*all-of, any-of$/,
    );
  });

  test('a type on the outermost level is an unknown field there', () => {
    expect(complaints('severity: required\ntype: tcp\n')).toEqual([
      '1 condition: missing: add a map with the type of condition and its fields',
      '2 type: unknown field: remove it, or use one of description, severity, interval, timeout, retries, condition',
    ]);
  });

  test('conditions nest four levels deep and no deeper', () => {
    const nested = (levels: number): string =>
      levels === 1 ? '{type: clock-synchronised}' : `{type: any-of, conditions: [${nested(levels - 1)}]}`;
    expect(complaints(withCondition(nested(4)))).toEqual([]);
    expect(complaints(withCondition(nested(5)))).toEqual([
      '2 condition.conditions[0].conditions[0].conditions[0].conditions[0]: nested too deep: conditions stand at most 4 levels deep',
    ]);
  });

  test('may be no YAML at all, no map, or hold comments only', () => {
    expect(complaints('a: [')[0]).toContain('not valid YAML');
    expect(complaints('- a')).not.toEqual([]);
    expect(complaints('text')).toEqual(['1 : must be a map of fields, such as "severity: required"']);
    expect(complaints('# later\n')).toEqual(['1 : holds no check: write one, or empty the file altogether to mask the check of this name']);
  });

  test('may be too large, or no text', () => {
    const large = `${withCondition('{type: clock-synchronised}')}#${'x'.repeat(LARGEST_FILE_BYTES)}`;
    expect(complaints(large)).toEqual(['1 : larger than 65536 bytes: make it smaller']);
    expect(readCheckFile(FILE, Uint8Array.of(0xff, 0xfe, 0x00))).toMatchObject({
      broken: [{ message: 'not UTF-8 text: save it as UTF-8' }],
    });
  });

  test.each(['K3s.yaml', 'k3s_1.yaml', `${'x'.repeat(65)}.yaml`, 'a b.yaml', '.yaml'])('may have a name that no check has: %s', (name) => {
    expect(complaints(withCondition('{type: clock-synchronised}'), `/etc/${name}`)).toEqual([
      '1 : the name of a check is 1 to 64 of a-z, 0-9 and "-": rename the file',
    ]);
  });

  test('brings at most ten complaints', () => {
    const conditions = Array.from({ length: 16 }, () => '{type: x}').join(', ');
    expect(complaints(withCondition(`{type: any-of, conditions: [${conditions}]}`))).toHaveLength(10);
  });
});

test('whatever the file holds, it is a check or it is broken with a line and a message', () => {
  const likely = fc.constantFrom(
    'severity',
    'condition',
    'type',
    'tcp',
    'required',
    ':',
    ' ',
    '\n',
    '- ',
    '{',
    '}',
    '[',
    ']',
    '"',
    '&a',
    '*a',
    '!!x',
    '|',
    '1',
  );
  fc.assert(
    fc.property(
      fc.array(fc.oneof(likely, fc.string())).map((parts) => parts.join('')),
      (text) => {
        const outcome = read(text);
        if (outcome.type === 'check') return;
        expect(outcome.broken.length).toBeGreaterThan(0);
        for (const { line, message } of outcome.broken) {
          expect(line).toBeGreaterThanOrEqual(1);
          expect(line).toBeLessThanOrEqual(text.split('\n').length);
          expect(message).not.toBe('');
        }
      },
    ),
    { numRuns: 1000 },
  );
});
