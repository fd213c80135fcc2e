import { expect, it } from 'vitest'
import { systemIds } from '../../kit/system.ts'
import { aChange, anEvent } from '../../../testing/builders/a-task.ts'
import { testDatabase } from '../../../testing/worlds/database.ts'
import { createChangeStore } from '../changes/change-store.ts'
import { createChangeLog } from './change-log.ts'

const sql = await testDatabase()

it('asks once, not for each event, which history they are of', async () => {
  const userId = systemIds.uuid()
  const events = Array.from({ length: 20 }, () => anEvent())
  await createChangeStore(sql).commit(aChange(userId, { events }))
  await sql`create sequence asked`
  await sql`create or replace function history_id() returns uuid language plpgsql stable as
    $$ begin perform nextval('asked'); return '00000000-0000-0000-0000-000000000001'; end $$`
  const page = await createChangeLog(sql).after(userId, 0, 100)
  expect(page.events).toHaveLength(20)
  expect(await sql`select last_value::int from asked`).toEqual([{ last_value: 1 }])
})
