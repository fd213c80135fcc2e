import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { runNow } from './command.ts'
import { API_SERVER, KUBECONFIG, NETWORK, NODE_NAME, place } from './places.ts'

const FOLDER = place('certificates')
export const certificate = (file: string): string => join(FOLDER, file)

const DAYS = '3650'
const CURVE = ['-nodes', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256']

interface Wanted {
  name: string
  /** Of openssl: `/O=group/CN=user`. */
  subject: string
  authority?: string
  names?: readonly string[]
}

const API_NAMES = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc']
const WANTED: readonly Wanted[] = [
  {
    name: 'apiserver',
    subject: '/CN=kube-apiserver',
    names: [
      ...[NETWORK.node, NETWORK.apiService].map((address) => `IP:${address}`),
      ...[...API_NAMES, 'kubernetes.default.svc.cluster.local'].map((name) => `DNS:${name}`),
    ],
  },
  {
    name: 'kubelet-server',
    subject: `/CN=${NODE_NAME}`,
    names: [`IP:${NETWORK.node}`, `DNS:${NODE_NAME}`],
  },
  { name: 'apiserver-kubelet', subject: '/O=system:masters/CN=apiserver-kubelet' },
  { name: 'front-proxy', subject: '/CN=front-proxy', authority: 'front-ca' },
]

/** Who talks to the API server, each with a kubeconfig of its own. */
const USERS: Readonly<Record<string, string>> = {
  'controller-manager': '/CN=system:kube-controller-manager',
  scheduler: '/CN=system:kube-scheduler',
  kubelet: `/O=system:nodes/CN=system:node:${NODE_NAME}`,
  proxy: '/CN=system:kube-proxy',
  admin: '/O=system:masters/CN=admin',
}

export const kubeconfig = (user: string): string => certificate(`${user}.kubeconfig`)

/** Makes all certificates of the cluster, once; the last file is the one by which they are known to be complete. */
export function makeCertificates(): void {
  if (existsSync(KUBECONFIG)) return
  rmSync(FOLDER, { recursive: true, force: true })
  mkdirSync(FOLDER, { recursive: true, mode: 0o700 })
  for (const authority of ['ca', 'front-ca']) {
    const files = ['-keyout', certificate(`${authority}.key`), '-out', certificate(`${authority}.crt`)]
    openssl(['req', '-x509', ...CURVE, '-days', DAYS, ...files, '-subj', `/CN=${authority}`])
  }
  openssl(['genrsa', '-out', certificate('accounts.key'), '2048'])
  openssl(['rsa', '-in', certificate('accounts.key'), '-pubout', '-out', certificate('accounts.pub')])
  for (const each of WANTED) makeCertificate(each)
  for (const [name, subject] of Object.entries(USERS)) {
    makeCertificate({ name, subject })
    writeFileSync(kubeconfig(name), stringify(kubeconfigOf(name)), { mode: 0o600 })
  }
}

function makeCertificate({ name, subject, authority = 'ca', names }: Wanted): void {
  const [request, extensions] = [certificate(`${name}.csr`), certificate(`${name}.ext`)]
  openssl(['req', ...CURVE, '-keyout', certificate(`${name}.key`), '-out', request, '-subj', subject])
  const lines = [
    'keyUsage=digitalSignature,keyEncipherment',
    'extendedKeyUsage=serverAuth,clientAuth',
    ...(names === undefined ? [] : [`subjectAltName=${names.join(',')}`]),
  ]
  writeFileSync(extensions, `${lines.join('\n')}\n`)
  const files = ['-in', request, '-extfile', extensions, '-out', certificate(`${name}.crt`)]
  const signer = ['-CA', certificate(`${authority}.crt`), '-CAkey', certificate(`${authority}.key`)]
  openssl(['x509', '-req', '-days', DAYS, ...files, ...signer, '-CAcreateserial'])
}

const kubeconfigOf = (user: string) => ({
  apiVersion: 'v1',
  kind: 'Config',
  clusters: [
    {
      name: 'own',
      cluster: {
        server: `https://${API_SERVER.host}:${API_SERVER.port}`,
        'certificate-authority': certificate('ca.crt'),
      },
    },
  ],
  users: [
    {
      name: user,
      user: {
        'client-certificate': certificate(`${user}.crt`),
        'client-key': certificate(`${user}.key`),
      },
    },
  ],
  contexts: [{ name: 'own', context: { cluster: 'own', user } }],
  'current-context': 'own',
})

const openssl = (args: readonly string[]): string => runNow('openssl', args)
