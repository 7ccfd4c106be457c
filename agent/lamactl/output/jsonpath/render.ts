// SPDX-License-Identifier: Apache-2.0
import type { Operator, PathStep, TemplatePart } from './template.ts';

/** What a template makes of a document: the values of a path separated by blanks, texts as they are, all else as JSON. */
export function renderTemplate(parts: readonly TemplatePart[], document: unknown): string {
  return parts
    .map((part) => {
      if (part.type === 'text') return part.text;
      const found = valuesAt(part.path, document);
      if (part.type === 'path') return found.map(asText).join(' ');
      // Of one list its elements are ranged over, as in kubectl.
      const [only] = found;
      const each = found.length === 1 && Array.isArray(only) ? only : found;
      return each.map((value) => renderTemplate(part.parts, value)).join('');
    })
    .join('');
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function valuesAt(path: readonly PathStep[], document: unknown): readonly unknown[] {
  return path.reduce<readonly unknown[]>((values, step) => values.flatMap((value) => stepInto(step, value)), [document]);
}

function stepInto(step: PathStep, value: unknown): readonly unknown[] {
  switch (step.type) {
    case 'child':
      return property(value, step.name);
    case 'descendant':
      return [...property(value, step.name), ...within(value).flatMap((inner) => stepInto(step, inner))];
    case 'every':
      return within(value);
    case 'index':
      return Array.isArray(value) && value.at(step.index) !== undefined ? [value.at(step.index)] : [];
    case 'slice':
      return Array.isArray(value) ? value.slice(step.start, step.end) : [];
    case 'filter':
      return within(value).filter((inner) => valuesAt(step.path, inner).some((found) => holds(found, step.operator, step.value)));
  }
}

/** Only what the document itself says, never what every object has. */
function property(value: unknown, name: string): readonly unknown[] {
  if (typeof value !== 'object' || value === null || !Object.prototype.propertyIsEnumerable.call(value, name)) return [];
  const found = (value as Readonly<Record<string, unknown>>)[name];
  return found === undefined ? [] : [found];
}

const within = (value: unknown): readonly unknown[] => (typeof value === 'object' && value !== null ? Object.values(value) : []);

function holds(found: unknown, operator: Operator | undefined, value: unknown): boolean {
  if (operator === undefined) return found !== false && found !== null && found !== '';
  if (operator === '==') return found === value;
  if (operator === '!=') return found !== value;
  if (typeof found !== typeof value || (typeof found !== 'number' && typeof found !== 'string')) return false;
  const order = found < (value as number | string) ? -1 : found > (value as number | string) ? 1 : 0;
  return { '<': order < 0, '<=': order <= 0, '>': order > 0, '>=': order >= 0 }[operator];
}
