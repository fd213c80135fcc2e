import { existsSync } from 'node:fs'
import { findProgram } from '../find-program.ts'
import { ProgramError } from '../program-error.ts'

/** The folder in which Debian puts the plugins of container networks. */
export const NETWORK_PLUGINS = '/usr/lib/cni'

/** Programs of the system, and the package of Debian that brings each. */
const NEEDED: Readonly<Record<string, string>> = {
  containerd: 'containerd',
  runc: 'runc',
  iptables: 'iptables',
  ipset: 'ipset',
  ip: 'iproute2',
  openssl: 'openssl',
  setpriv: 'util-linux',
  umount: 'mount',
  go: 'golang-go',
  java: 'default-jre-headless',
  mvn: 'maven',
  pip: 'python3-pip',
}

/** Throws one sentence that says all that is missing on this machine. */
export function checkRequirements(): void {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new ProgramError('program.missing', 'The cluster runs on Linux with x86-64 only.')
  if (process.getuid?.() !== 0)
    throw new ProgramError(
      'program.missing',
      'The cluster needs root, for containers and their network; nothing of it is reachable from other machines.',
    )
  const packages = new Set(
    Object.entries(NEEDED)
      .filter(([name]) => findProgram(name) === undefined)
      .map(([, name]) => name),
  )
  if (!existsSync(NETWORK_PLUGINS)) packages.add('containernetworking-plugins')
  if (packages.size === 0) return
  throw new ProgramError(
    'program.missing',
    `The cluster needs more of the system: apt-get install --no-install-recommends ${[...packages].join(' ')}`,
  )
}
