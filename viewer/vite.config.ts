import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  base: '/static/viewer/',
  worker: { format: 'es' },
  build: {
    outDir: '../static/viewer',
    emptyOutDir: true,
    manifest: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: {
        main: here('./src/main.ts'),
        light: here('./src/light.ts'),
        upload: here('./src/upload.ts'),
        look: here('./src/look.ts'),
        labels: here('./src/labels.ts'),
        report: here('./src/report.ts'),
      },
    },
  },
});
