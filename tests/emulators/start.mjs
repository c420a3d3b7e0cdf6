// Starts both emulators of GitHub on loopback and says `ready`: node start.mjs <port of emulate> <port of the simulator> <seed.json>
import { readFileSync } from 'node:fs'
import net from 'node:net'
import { simulation } from '@simulacrum/github-api-simulator'
import { createEmulator } from 'emulate'

const [emulatePort, simulatorPort, seed] = process.argv.slice(2)

// Both would listen on every interface, and neither can be told not to.
const listen = net.Server.prototype.listen
net.Server.prototype.listen = function (...args) {
  const port = typeof args[0] === 'object' ? args[0].port : args[0]
  return listen.call(this, { port: Number(port), host: '127.0.0.1' }, args.find((each) => typeof each === 'function'))
}

await createEmulator({ service: 'github', port: Number(emulatePort), seed: { github: JSON.parse(readFileSync(seed, 'utf8')) } })
await simulation().listen(Number(simulatorPort))
console.log('ready')
