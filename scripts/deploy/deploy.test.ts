import { expect, it } from 'vitest'
import { rollOut } from './roll-out.ts'
import { faultOf, untilServed } from './smoke.ts'

const IMAGE = `registry.example.org/daybook@sha256:${'a'.repeat(64)}`

/** A cluster with these revisions, where what `fails` names is refused. */
function cluster(revisions: Record<string, string>, fails = '') {
  const calls: string[] = []
  const helm = (args: readonly string[]) => {
    const call = args.join(' ')
    if (args[0] === 'list')
      return JSON.stringify(Object.entries(revisions).map(([name, revision]) => ({ name, revision })))
    calls.push(call)
    if (fails !== '' && call.startsWith(fails)) throw new Error(`${fails}: timed out`)
    return ''
  }
  return { calls, helm }
}
const deployTo = ({ helm }: ReturnType<typeof cluster>, fault?: string) =>
  rollOut({
    environment: 'staging',
    image: IMAGE,
    namespace: 'daybook',
    charts: 'charts',
    helm,
    smoke: async () => await Promise.resolve(fault),
    say: () => {},
  })

it('brings the platform, then the units with the image, and leaves them when Daybook serves', async () => {
  const there = cluster({ 'daybook-platform': '3', daybook: '7' })
  expect(await deployTo(there)).toBeUndefined()
  expect(there.calls).toEqual([
    expect.stringMatching(/^upgrade --install daybook-platform .*values-staging.yaml --rollback-on-failure/),
    expect.stringContaining(`--set image=${IMAGE} --rollback-on-failure --wait`),
  ])
})

it.each([
  {
    name: 'both when it does not serve after',
    revisions: { 'daybook-platform': '3', daybook: '7' },
    fails: '',
    back: ['rollback daybook 7', 'rollback daybook-platform 3'],
  },
  {
    name: 'the platform alone when Helm has rolled back the units itself',
    revisions: { 'daybook-platform': '3', daybook: '7' },
    fails: 'upgrade --install daybook charts',
    back: ['rollback daybook-platform 3'],
  },
  {
    name: 'nothing when the platform itself was refused',
    revisions: { 'daybook-platform': '3', daybook: '7' },
    fails: 'upgrade --install daybook-platform',
    back: [],
  },
  { name: 'nothing of a first installation, which has no before', revisions: {}, fails: '', back: [] },
])('rolls back $name', async ({ revisions, fails, back }) => {
  const there = cluster(revisions, fails)
  expect(await deployTo(there, 'GET /readyz answers 503 and not 200')).toMatch(/answers 503|timed out/)
  const rollbacks = there.calls.filter((call) => call.startsWith('rollback'))
  expect(rollbacks.map((call) => call.split(' --')[0])).toEqual(back)
})

it('asks what a stranger can, and says what does not answer as it should', async () => {
  const answers =
    (tasks: number): typeof fetch =>
    async (url) =>
      await Promise.resolve(
        new Response(null, {
          status: new URL(url instanceof Request ? url.url : url).pathname === '/api/tasks' ? tasks : 200,
        }),
      )
  const ask = (send: typeof fetch) => faultOf('https://daybook.example.org', send)
  expect(await ask(answers(401))).toBeUndefined()
  expect(await ask(answers(502))).toBe('GET /api/tasks answers 502 and not 401')
  expect(await ask(async () => await Promise.reject(new Error('no route')))).toBe(
    'GET /readyz gets no answer: no route',
  )
})

it('gives units time to come', async () => {
  const faults = ['GET /readyz answers 503 and not 200', undefined]
  expect(await untilServed(async () => await Promise.resolve(faults.shift()), 60_000, 1)).toBeUndefined()
  expect(await untilServed(async () => await Promise.resolve('down'), 0, 1)).toBe('down')
})
