// What pages are made with, as scripts of their own: Turbo as it comes, React bundled by the web's own bundler.

import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

import { REPOSITORY } from './axiam.mjs';

const require = createRequire(import.meta.url);

export const turbo = () => fs.readFileSync(require.resolve('@hotwired/turbo/dist/turbo.es2017-umd.js'), 'utf8');

/** A page in React's strict mode that shows this component, `FaceLogin`, as a bundler makes it of the widget's package. */
export const reactComponent = (code) => bundled(`${code}
  import { createElement, StrictMode } from 'react';
  import { createRoot } from 'react-dom/client';
  createRoot(document.querySelector('#app')).render(createElement(StrictMode, null, createElement(FaceLogin, { csrfToken: 'c5rf' })));`);

/** A page in React's strict mode, whose component uses the widget's package; `unmount()` takes it away. */
export const reactPage = (apiBase) => bundled(`
    import { createElement, StrictMode, useEffect, useRef } from 'react';
    import { createRoot } from 'react-dom/client';
    import { init } from './widget/dist/index.js';
    window.mounts = 0;
    function Login() {
      const place = useRef(null);
      useEffect(() => {
        window.mounts++;
        const widget = init({
          container: place.current, formAction: '/login', apiBase: ${JSON.stringify(apiBase)},
          authToken: () => fetch('/token').then((reply) => reply.text()),
        });
        return () => widget.destroy();
      }, []);
      return createElement('div', { ref: place, id: 'react-place' });
    }
    const root = createRoot(document.querySelector('#app'));
    root.render(createElement(StrictMode, null, createElement(Login)));
    window.unmount = () => root.unmount();`);

async function bundled(contents) {
  const { build } = createRequire(path.join(REPOSITORY, 'web/build.mjs'))('esbuild');
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: path.join(REPOSITORY, 'web'), loader: 'jsx' },
    jsx: 'automatic',
    alias: { '@axiam/facial-login': path.join(REPOSITORY, 'web/widget/dist/index.js') },
    nodePaths: [path.join(REPOSITORY, 'web/e2e/node_modules')],
    bundle: true,
    format: 'iife',
    // The double mount of strict mode is in the development build alone.
    define: { 'process.env.NODE_ENV': '"development"' },
    write: false,
    logLevel: 'silent',
  });
  return outputFiles[0].text;
}
