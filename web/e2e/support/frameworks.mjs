// What pages are made with, as scripts of their own: Turbo as it comes, React bundled by the web's own bundler.

import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

import { REPOSITORY } from './axiam.mjs';

const require = createRequire(import.meta.url);

export const turbo = () => fs.readFileSync(require.resolve('@hotwired/turbo/dist/turbo.es2017-umd.js'), 'utf8');

/** A page in React's strict mode, whose component uses the widget's package; `unmount()` takes it away. */
export async function reactPage(apiBase) {
  const { build } = createRequire(path.join(REPOSITORY, 'web/build.mjs'))('esbuild');
  const contents = `
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
    window.unmount = () => root.unmount();`;
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: path.join(REPOSITORY, 'web') },
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
