// Validates a YAML file against the schema that its first line names, as editors do: validate-yaml.mjs FILE…
// Needs the package `yaml-language-server` in the folder `NODE_PATH`; prints one line for each problem.

import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const library = resolve(process.env.NODE_PATH, 'yaml-language-server/out/src/index.js');
const { getLanguageService } = await import(pathToFileURL(library).href);
const documents = resolve(process.env.NODE_PATH, 'vscode-languageserver-textdocument/lib/umd/main.js');
const { TextDocument } = (await import(pathToFileURL(documents).href)).default;

const service = getLanguageService({
  schemaRequestService: async (uri) => readFileSync(fileURLToPath(uri), 'utf8'),
  workspaceContext: { resolveRelativePath: (path, base) => pathToFileURL(resolve(dirname(fileURLToPath(base)), path)).href },
});
service.configure({ validate: true, yamlVersion: '1.2', completion: true, hover: true });

let problems = 0;
for (const file of process.argv.slice(2)) {
  const uri = pathToFileURL(resolve(file)).href;
  const text = readFileSync(file, 'utf8');
  const found = await service.doValidation(TextDocument.create(uri, 'yaml', 1, text), false);
  for (const { range, message } of found) {
    console.log(`${file}:${range.start.line + 1}: ${message}`);
  }
  problems += found.length;
}
process.exit(problems === 0 ? 0 : 1);
