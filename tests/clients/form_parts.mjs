// Prints what the parts of the sign-in form compute: `node form_parts.mjs FILE`, with questions as JSON on stdin.
import { readFileSync } from 'node:fs'

const [file] = process.argv.slice(2)
const form = await import(`data:text/javascript;base64,${readFileSync(file).toString('base64')}`)
const { qr, srp, failures } = JSON.parse(readFileSync(0, 'utf8'))
const started = form.startSrp(srp.poolId, srp.password)

process.stdout.write(
  JSON.stringify({
    texts: form.TEXTS,
    qr: qr.map((text) => form.qrModules(text).map((row) => row.map(Number).join(''))),
    A: started.A,
    failures: failures.map(([type, message]) => {
      const { code, ref, over } = form.failure(type, message)
      return { code, ref, over }
    }),
  }),
)
