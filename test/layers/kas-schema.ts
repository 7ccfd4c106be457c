// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot';

const NullableText = v.nullable(v.string());
const Commit = v.pipe(v.string(), v.regex(/^[0-9a-f]{40}$/, 'is no whole commit'));

const Header = v.strictObject({
  version: v.pipe(v.number(), v.integer(), v.minValue(1)),
  includes: v.optional(v.array(v.string())),
});

const Repository = v.strictObject({
  url: v.optional(v.string()),
  branch: v.optional(NullableText),
  // Folder by folder; kas asks for nothing more than that they are named.
  layers: v.optional(v.record(v.string(), v.null())),
});

/**
 * What a kas file of ours may say: the words of kas's project configuration reference that we use, and no other. kas's own
 * schema, which has all of them, is part of a package of Python's: .ci/lint-layers asks it where that can be had.
 */
const KasFile = v.strictObject({
  header: Header,
  machine: v.optional(v.string()),
  distro: v.optional(v.string()),
  target: v.optional(v.array(v.string())),
  env: v.optional(v.record(v.string(), NullableText)),
  defaults: v.optional(v.strictObject({ repos: v.strictObject({ branch: v.string() }) })),
  repos: v.optional(v.record(v.string(), Repository)),
  overrides: v.optional(v.strictObject({ repos: v.record(v.string(), v.strictObject({ commit: Commit })) })),
  local_conf_header: v.optional(v.record(v.string(), v.string())),
});

/** What is wrong with the content of a kas file, each with where it stands. */
export function kasFaults(content: unknown): string[] {
  const { issues = [] } = v.safeParse(KasFile, content);
  return issues.map((issue) => `${v.getDotPath(issue) ?? 'the file'}: ${issue.message}`);
}
