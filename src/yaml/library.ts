import { type Document, isAlias, isNode, isSeq, LineCounter, type ParsedNode, parseAllDocuments, visit } from 'yaml';
import { errorMessage, RqError } from '../job/errors.ts';
import type { RawEntry } from './printed.ts';

/** More than any list of jobs needs, and too few for an attack with nested aliases. */
const MAX_ALIASES = 100;

/**
 * Reads YAML or JSON with the `yaml` library: a list of jobs, one job, or several documents. Tags, merge keys and duplicate
 * keys are refused. An entry that is text is a command line. Throws INVALID_INPUT with the line.
 */
export function readAnyYaml(text: string, source: string): RawEntry[] {
  const lines = new LineCounter();
  return parse(text, lines, source).flatMap((document) => readDocument(document, lines, source));
}

function parse(text: string, lineCounter: LineCounter, source: string): Document.Parsed[] {
  try {
    const documents = parseAllDocuments(text, {
      version: '1.2',
      schema: 'core',
      merge: false,
      uniqueKeys: true,
      strict: true,
      resolveKnownTags: false,
      prettyErrors: false,
      lineCounter,
    });
    return Array.isArray(documents) ? documents : [];
  } catch (error) {
    // The library recurses for each level.
    if (error instanceof RangeError) throw invalid(source, 1, 'the YAML is nested too deeply');
    throw error;
  }
}

function readDocument(document: Document.Parsed, lines: LineCounter, source: string): RawEntry[] {
  const fault = document.errors[0] ?? document.warnings[0];
  if (fault !== undefined) {
    throw invalid(source, lines.linePos(fault.pos[0]).line, firstLine(fault.message));
  }
  refuseTags(document, lines, source);
  const root: ParsedNode | null = document.contents;
  const value = plainValue(document, source);
  if (value === null) return [];
  const nodes = isSeq(root) ? root.items : [root];
  const values = Array.isArray(value) ? value : [value];
  return values.map((entry: unknown, index) => {
    const node = nodes[index];
    const line = isNode(node) && node.range ? lines.linePos(node.range[0]).line : 1;
    return { line, fields: entryFields(entry, line, source) };
  });
}

function refuseTags(document: Document.Parsed, lines: LineCounter, source: string): void {
  visit(document, {
    Node(_key, node) {
      if (isAlias(node) || node.tag === undefined) return;
      const line = node.range ? lines.linePos(node.range[0]).line : 1;
      throw invalid(source, line, `the tag ${node.tag} is not allowed; use plain values`);
    },
  });
}

function plainValue(document: Document.Parsed, source: string): unknown {
  try {
    return document.toJS({ mapAsMap: true, maxAliasCount: MAX_ALIASES });
  } catch (error) {
    if (!(error instanceof ReferenceError || error instanceof RangeError)) throw error;
    throw invalid(source, 1, firstLine(errorMessage(error)));
  }
}

function entryFields(entry: unknown, line: number, source: string): RawEntry['fields'] {
  if (typeof entry === 'string') return [['command', entry]];
  if (!(entry instanceof Map))
    throw invalid(source, line, 'each entry must be a job (keys and values) or a command line');
  return [...entry].map(([key, value]): [string, unknown] => {
    if (typeof key !== 'string') throw invalid(source, line, `the key ${String(key)} is not a field of a job`);
    return [key, value];
  });
}

function firstLine(message: string): string {
  return message.split('\n', 1)[0] ?? message;
}

function invalid(source: string, line: number, fault: string): RqError {
  return new RqError('INVALID_INPUT', `cannot read jobs from ${source}, line ${line}: ${fault}`);
}
