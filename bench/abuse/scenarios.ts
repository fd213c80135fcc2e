import type { AttackName } from './attacks.ts'
import type { Child } from './child.ts'
import { createClient } from './http.ts'
import { signUp } from './account.ts'
import type { Attacker, Stored } from './seed.ts'

export interface Stage {
  url: string
  server: Child
  attacker: Child
  isShort: boolean
  /** Counts every run of every scenario. */
  round: number
}

export interface Scenario {
  name: string
  attack: AttackName
  /** Of the whole run, where an attack shows what becomes of it only later. */
  wholeMs?: number
  /** Stores what the attack needs; resolves to its plan. */
  prepare(stage: Stage): Promise<object>
  /** Just before the attack. */
  begin?(stage: Stage, plan: object): Promise<unknown>
  /** Just after it; what it resolves to is told in the table. */
  end?(stage: Stage): Promise<string>
}

/** What attackers have stored; a short run does with less of what takes seconds to be made. */
const STORED = { fat: 1000, history: 1000 }
const WHOLE = { storm: 4000, notes: 1500 }
const SHORT = { storm: 1000, notes: 300 }
const sizes = ({ isShort }: Stage) => (isShort ? SHORT : WHOLE)
const PAST_TIMEOUTS_MS = 45_000
const HOOKS = { people: 20, each: 30 }

const attackers = ({ server }: Stage, count: number) => server.ask<Attacker[]>('attackers', count)

/** Users who have all stored the same before. */
async function attackersWith(stage: Stage, people: number, stored?: Omit<Stored, 'owner'>) {
  const users = await attackers(stage, people)
  if (stored) for (const owner of users) await stage.server.ask('store', { owner, ...stored })
  return { users: users.map(({ id }) => id), tokens: users.map(({ token }) => token) }
}
const nothingStored = (stage: Stage) => attackersWith(stage, 1)

/** The fat tasks of one user serve several scenarios. */
function once<Plan>(prepare: (stage: Stage) => Promise<Plan>): (stage: Stage) => Promise<Plan> {
  let plan: Promise<Plan> | undefined
  return (stage) => (plan ??= prepare(stage))
}
export const longNotes = (stage: Stage) =>
  attackersWith(stage, 2, { count: sizes(stage).notes, tasks: 'long' })
export const fatTasks = once((stage) => attackersWith(stage, 1, { count: STORED.fat, tasks: 'fat' }))
export const history = async (stage: Stage) => {
  const [owner] = await attackers(stage, 1)
  const taskId = await stage.server.ask<string>('history', { owner, count: STORED.history })
  return { tokens: [owner!.token], taskId }
}

const storm = async ({ server }: Stage, plan: object) =>
  server.ask('storm', (plan as { users: string[] }).users)

export const SCENARIOS: Scenario[] = [
  { name: 'misspelt searches', attack: 'misspeltSearches', prepare: longNotes },
  { name: 'fat pages', attack: 'fatPages', prepare: fatTasks },
  {
    name: 'statements that fail in mid-stream',
    attack: 'fatPages',
    prepare: fatTasks,
    begin: ({ server }) => server.ask('sabotage'),
    end: async ({ server }) => `${await server.ask<number>('endSabotage')} statements cancelled`,
  },
  { name: 'stalled readers', attack: 'stalledReaders', prepare: fatTasks, wholeMs: PAST_TIMEOUTS_MS },
  {
    name: 'reminder storm',
    attack: 'wait',
    begin: storm,
    prepare: (stage) => attackersWith(stage, 1, { count: sizes(stage).storm, tasks: 'reminded' }),
  },
  { name: 'sign-in flood', attack: 'signIns', prepare: async ({ round }) => ({ round }) },
  {
    name: 'slow and idle sockets',
    attack: 'slowSockets',
    prepare: async () => ({}),
    wholeMs: PAST_TIMEOUTS_MS,
  },
  {
    name: 'request floods',
    attack: 'requests',
    prepare: async (stage) => ({ ...(await nothingStored(stage)), round: stage.round }),
  },
  {
    name: 'tickets and refreshes',
    attack: 'tickets',
    prepare: ({ url, round }) => signUp(url, `attacker-${round}`, `10.2.0.${round}`),
  },
  { name: 'big bodies', attack: 'bigBodies', prepare: nothingStored },
  {
    name: 'webhooks that hang',
    attack: 'wait',
    begin: storm,
    prepare: async (stage) => {
      await stage.attacker.ask('hang')
      const plan = await attackersWith(stage, HOOKS.people, { count: HOOKS.each, tasks: 'reminded' })
      const client = createClient(stage.url, { connections: 1 })
      for (const [nth, token] of plan.tokens.entries()) {
        const json = { webhook_url: `${stage.attacker.ready['hooks']}/${plan.users[nth]}` }
        await client.ask('PUT', '/api/notifications/preferences', { token, json })
      }
      await client.close()
      return plan
    },
    end: async ({ attacker }) => {
      await attacker.ask('release')
      return `${HOOKS.people * HOOKS.each} deliveries`
    },
  },
  { name: 'scope=all on a long history', attack: 'wholeSeries', prepare: history },
  { name: 'parallel writes', attack: 'writes', prepare: nothingStored },
  { name: 'many streams', attack: 'streams', prepare: nothingStored },
]
