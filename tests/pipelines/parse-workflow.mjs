// Parses workflows with GitHub's own parser and prints its errors: node parse-workflow.mjs FOLDER FILE…
// FOLDER contains the installed package.
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { pathToFileURL } from 'node:url';

// The package imports its schema as JSON without an import attribute, which only bundlers accept.
registerHooks({
  load(url, context, next) {
    if (!url.endsWith('.json')) return next(url, context);
    return { format: 'module', source: `export default ${readFileSync(new URL(url), 'utf8')}`, shortCircuit: true };
  },
});

const [folder, ...files] = process.argv.slice(2);
const location = pathToFileURL(`${folder}/node_modules/@actions/workflow-parser/dist/index.js`).href;
const { NoOperationTraceWriter, parseWorkflow, convertWorkflowTemplate } = await import(location);

let failed = false;
for (const name of files) {
  const parsed = parseWorkflow({ name, content: readFileSync(name, 'utf8') }, new NoOperationTraceWriter());
  const errors = [...parsed.context.errors.getErrors()];
  if (errors.length === 0) {
    const template = await convertWorkflowTemplate(parsed.context, parsed.value);
    errors.push(...(template.errors ?? []).map((error) => ({ message: error.Message })));
  }
  for (const error of errors) {
    failed = true;
    console.error(`${name}: ${error.message}`);
  }
}
process.exit(failed ? 1 : 0);
