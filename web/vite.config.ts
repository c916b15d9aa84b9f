import { readFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { defineConfig, type Plugin } from 'vite'

const demo = 'http://127.0.0.1:8080'

// The Go package beside this file serves the page below /playground. public/.keep becomes dist/.keep, without which
// that package does not compile: a build empties dist first.
export default defineConfig({
  base: '/playground/',
  plugins: [gzipBeside()],
  build: {
    // The editor is one large thing; cutting it further would only make more requests.
    chunkSizeWarningLimit: 5000,
    // Libraries say "use client" for server rendering, which does not happen here.
    rolldownOptions: { checks: { moduleLevelDirective: false } },
  },
  // `npm run dev` works on the page beside a running `regtok demo`.
  server: { proxy: { '/graphql': demo, '/schema.graphqls': demo } },
})

// gzipBeside puts a .gz beside every file that shrinks, so that the server never has to compress.
function gzipBeside(): Plugin {
  const compress = promisify(gzip)
  let out = ''
  return {
    name: 'gzip-beside',
    apply: 'build',
    configResolved(config) {
      out = join(config.root, config.build.outDir)
    },
    async closeBundle() {
      for (const name of await readdir(out, { recursive: true })) {
        if (!/\.(html|js|css|svg|ttf)$/.test(name)) continue
        const file = join(out, name)
        await writeFile(`${file}.gz`, await compress(await readFile(file), { level: 9 }))
      }
    },
  }
}
