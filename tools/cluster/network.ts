import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { runNow, succeeds } from './command.ts'
import { NETWORK, place } from './places.ts'
import { program } from './places.ts'

const { bridge } = NETWORK
/** Pods talk to pods and to this machine only. */
const CLOSED = [
  ['FORWARD', '-i', bridge, '!', '-o', bridge, '-j', 'DROP'],
  ['FORWARD', '!', '-i', bridge, '-o', bridge, '-j', 'DROP'],
] as const
/** Settings of the kernel, and what they must be. */
const KERNEL = { 'net/ipv4/ip_forward': '1', 'net/bridge/bridge-nf-call-iptables': '1' } as const
const BEFORE = place('run', 'kernel.json')
const PLUGINS = place('network')

/** A bridge with the address of the node; again it changes nothing. */
export function makeNetwork(): void {
  if (!succeeds('ip', ['link', 'show', bridge])) {
    runNow('ip', ['link', 'add', bridge, 'type', 'bridge'])
    runNow('ip', ['addr', 'add', `${NETWORK.node}/16`, 'dev', bridge])
  }
  runNow('ip', ['link', 'set', bridge, 'up'])
  // Else what the API server asks of webhooks would leave with the address of another link.
  runNow('ip', ['route', 'replace', NETWORK.services, 'dev', bridge])
  mkdirSync(place('run'), { recursive: true })
  if (!existsSync(BEFORE)) {
    const before = Object.keys(KERNEL).map((name) => [name, readFileSync(`/proc/sys/${name}`, 'utf8').trim()])
    writeFileSync(BEFORE, JSON.stringify(Object.fromEntries(before)))
  }
  setKernel(KERNEL)
  for (const rule of CLOSED) {
    if (!succeeds('iptables', ['-C', ...rule])) runNow('iptables', ['-I', ...rule])
  }
  mkdirSync(PLUGINS, { recursive: true })
  writeFileSync(place('network', '10-bridge.conflist'), JSON.stringify(plugins))
}

const plugins = {
  cniVersion: '0.4.0',
  name: 'pods',
  plugins: [
    {
      type: 'bridge',
      bridge,
      isGateway: true,
      ipMasq: false,
      hairpinMode: true,
      ipam: {
        type: 'host-local',
        dataDir: place('network', 'addresses'),
        ranges: [[{ subnet: NETWORK.pods, rangeStart: NETWORK.firstPod, gateway: NETWORK.node }]],
        routes: [{ dst: '0.0.0.0/0' }],
      },
    },
    { type: 'portmap', capabilities: { portMappings: true } },
  ],
}

/** Leaves no link, route, rule, set or namespace behind; for when everything that uses them has ended. */
export function removeNetwork(): void {
  for (const line of runNow('ip', ['netns', 'list']).split('\n')) {
    const [name = ''] = line.split(' ')
    if (name.startsWith('cni-')) runNow('ip', ['netns', 'del', name])
  }
  for (const [name, flag] of [
    ['kube-proxy', '--cleanup'],
    ['kube-router', '--cleanup-config'],
  ] as const) {
    if (existsSync(program(name))) succeeds(program(name), [flag])
  }
  for (const table of ['filter', 'nat', 'mangle']) removeChains(table)
  const sets = runNow('ipset', ['list', '-name']).split('\n')
  for (const set of sets.filter((name) => /^(inet6:)?(KUBE|kube-router)/.test(name)))
    runNow('ipset', ['destroy', set])
  for (const rule of CLOSED) while (succeeds('iptables', ['-D', ...rule]));
  if (succeeds('ip', ['link', 'show', bridge])) runNow('ip', ['link', 'del', bridge])
  if (existsSync(BEFORE)) {
    setKernel(JSON.parse(readFileSync(BEFORE, 'utf8')) as Record<string, string>)
    rmSync(BEFORE)
  }
  rmSync(PLUGINS, { recursive: true, force: true })
}

/** Chains that kubelet, kube-proxy and kube-router have made, and the rules that lead there. */
function removeChains(table: string): void {
  const iptables = (args: readonly string[]) => runNow('iptables', ['-w', '-t', table, ...args])
  const rules = iptables(['-S']).split('\n')
  for (const rule of rules.filter((line) => /^-A (?!KUBE).* -j KUBE/.test(line))) {
    iptables(splitRule(rule.replace('-A', '-D')))
  }
  const chains = rules.flatMap((line) => /^-N (KUBE\S*)/.exec(line)?.[1] ?? [])
  for (const chain of chains) iptables(['-F', chain])
  for (const chain of chains) iptables(['-X', chain])
}

/** Comments stand in quotes. */
const splitRule = (rule: string): string[] =>
  [...rule.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '')

function setKernel(settings: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(settings)) writeFileSync(`/proc/sys/${name}`, value)
}
