import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  base: '/static/viewer/',
  resolve: {
    // vtk.js reaches for an XML writer built on node's `events`; without the stub the page dies at start.
    alias: { xmlbuilder2: here('./src/stub-xmlbuilder2.ts') },
  },
  worker: { format: 'es' },
  build: {
    outDir: '../static/viewer',
    emptyOutDir: true,
    manifest: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 4000,
    rolldownOptions: {
      input: {
        main: here('./src/main.ts'),
        light: here('./src/light.ts'),
        upload: here('./src/upload.ts'),
        look: here('./src/look.ts'),
        labels: here('./src/labels.ts'),
      },
    },
  },
});
