import { describe, expect, it } from 'vitest'
import { systemIds } from '../../shared/kit/system.ts'
import { NOON, tasksAdded } from '../../testing/builders/a-task.ts'
import { ask } from '../../testing/worlds/ask-function.ts'
import { testDaybook } from '../../testing/worlds/test-daybook.ts'
import listTags from './list-tags.ts'

const { deps } = await testDaybook()

describe('list-tags', () => {
  async function get(query: string, userId?: string) {
    const owner = systemIds.uuid()
    await deps.changes.commit(
      tasksAdded(owner, [
        { tags: ['Zoo'] },
        { tags: ['home', 'zoo'], completedAt: NOON },
        { tags: ['100%'] },
      ]),
    )
    const { status, body } = await ask(listTags, deps, userId ?? owner, { query })
    return { status, body: body as { items: { tag: string }[] } }
  }

  it('tells how many open and completed tasks have each, the most used first', async () => {
    expect(await get('')).toEqual({
      status: 200,
      body: {
        items: [
          { tag: 'zoo', active: 1, completed: 1 },
          { tag: '100%', active: 1, completed: 0 },
          { tag: 'home', active: 0, completed: 1 },
        ],
      },
    })
  })

  it.each([
    ['?sort=name', ['100%', 'home', 'zoo']],
    ['?prefix=HO', ['home']],
    ['?prefix=%25', []],
    ['?sort=name&limit=1', ['100%']],
  ])('answers %s', async (query, expected) => {
    expect((await get(query)).body.items.map(({ tag }) => tag)).toEqual(expected)
  })

  it('tells nobody the tags of another', async () => {
    expect((await get('', systemIds.uuid())).body.items).toEqual([])
  })

  it.each(['?sort=use', '?limit=0', '?limit=201', '?prefix=%00', `?prefix=${'x'.repeat(51)}`])(
    'refuses %s',
    async (query) => expect((await get(query)).status).toBe(422),
  )
})
