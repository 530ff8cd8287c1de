import { fileURLToPath } from 'node:url';
import tseslint from 'typescript-eslint';
import importX from 'eslint-plugin-import-x';
import { createTypeScriptImportResolver } from 'eslint-import-resolver-typescript';

/** Data flows one way (docs/adr/0001): a folder may import only what stands in its list. */
const zones = [
  { target: './domain', from: ['./workflows', './activities', './worker', './starter', './lab', './test'] },
  { target: './workflows', from: ['./worker', './starter', './lab', './test'] },
  { target: './activities', from: ['./workflows', './worker', './starter', './lab', './test'] },
  { target: './worker', from: ['./starter', './lab', './test'] },
  { target: './starter', from: ['./test'] },
  { target: './lab', from: ['./domain', './workflows', './activities', './worker', './starter', './test'] },
];
const nodeBuiltins = ['node:*', 'fs', 'fs/*', 'path', 'os', 'child_process', 'crypto', 'http', 'https', 'net', 'process', 'timers', 'timers/*'];

export default tseslint.config(
  { ignores: ['dist/**', 'node_modules/**', 'test/replay/histories/**'] },
  ...tseslint.configs.recommended,
  {
    files: ['**/*.ts'],
    plugins: { 'import-x': importX },
    settings: { 'import-x/resolver-next': [createTypeScriptImportResolver()] },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: fileURLToPath(new URL('.', import.meta.url)) } },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/consistent-type-imports': ['error', { prefer: 'type-imports', fixStyle: 'separate-type-imports' }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'max-params': ['error', 3],
      'import-x/no-cycle': 'error',
      'import-x/no-restricted-paths': ['error', { zones: zones.map((zone) => ({ ...zone, message: 'data flows one way: docs/adr/0001' })) }],
    },
  },
  {
    files: ['workflows/**/*.ts', 'domain/**/*.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': ['error', { patterns: [{ group: nodeBuiltins, message: 'pure code: no I/O here' }] }],
      'no-restricted-syntax': ['error',
        { selector: "Property[key.name='validator'] > FunctionExpression[async=true], Property[key.name='validator'] > ArrowFunctionExpression[async=true]", message: 'an async validator sticks the workflow (it is not awaited)' },
      ],
    },
  },
  {
    files: ['workflows/**/*.ts'],
    rules: {
      'import-x/no-restricted-paths': ['error', { zones: [{ target: './workflows', from: ['./worker', './starter', './lab', './test'] }] }],
      '@typescript-eslint/no-restricted-imports': ['error', { patterns: [
        { group: nodeBuiltins, message: 'workflow code runs in the sandbox: no I/O' },
        { group: ['**/activities/*'], allowTypeImports: true, message: 'workflows import activity types only' },
      ] }],
    },
  },
  // A table of cases is read across, not by its arity.
  { files: ['test/**/*.ts'], rules: { 'max-params': 'off' } },
);
