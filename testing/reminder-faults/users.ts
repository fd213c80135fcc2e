import { drawPreferences, type ReminderUser, type ReminderWorld } from './world.ts'

/** Gives the users of a world their accounts, and some of them devices and preferences. */
export async function settleUsers(world: ReminderWorld): Promise<void> {
  const { random, sql, ids, journal } = world
  for (const { id, hasEmail, timeZone } of world.users) {
    const account = hasEmail
      ? { email: `${id}@mail.example`, password_hash: 'none', email_confirmed_at: new Date(world.now) }
      : {}
    await world.scheduler.outside(
      () =>
        sql`insert into users ${sql({ id, time_zone: timeZone, created_at: new Date(world.now), ...account })}`,
    )
    for (const channel of ['web_push', 'web_push', 'mobile_push'] as const) {
      if (!random.chance(0.4)) continue
      const device = {
        id: ids.uuid(),
        user_id: id,
        channel,
        created_at: new Date(world.now),
        confirmed_at: new Date(world.now),
      }
      const endpoint = `https://push.example/${device.id}`
      const keys = channel === 'web_push' ? sql.json({ p256dh: 'key', auth: 'secret' }) : null
      await world.scheduler.outside(
        () => sql`insert into push_subscriptions ${sql({ ...device, endpoint, keys })}`,
      )
      journal.write({ kind: 'device', userId: id, id: device.id, channel, isGone: false })
    }
    if (random.chance(0.7))
      await changeSettings(
        world,
        world.users.find((user) => user.id === id)!,
      )
  }
}

/** A user settles something else. Written at once, as the page of preferences would. */
export async function changeSettings(world: ReminderWorld, user: ReminderUser): Promise<void> {
  const { sql } = world
  const settings = drawPreferences(world)
  const row = {
    user_id: user.id,
    channels: sql.json(settings.channels),
    time_zone: settings.timeZone,
    quiet_hours: settings.quietHours && sql.json({ ...settings.quietHours }),
    default_reminder_minutes: settings.defaultReminderMinutes,
    webhook_url: settings.webhookUrl,
    webhook_secret: settings.webhookSecret,
    webhook_id: settings.webhookId,
    webhook_confirmed_at: settings.webhookConfirmedAt,
    version: 1,
    updated_at: new Date(world.now),
  }
  await world.scheduler.outside(
    () => sql`insert into notification_preferences ${sql(row)} on conflict (user_id) do update set
      channels = excluded.channels, time_zone = excluded.time_zone, quiet_hours = excluded.quiet_hours,
      default_reminder_minutes = excluded.default_reminder_minutes,
      webhook_url = excluded.webhook_url, webhook_secret = excluded.webhook_secret,
      webhook_id = excluded.webhook_id, webhook_confirmed_at = excluded.webhook_confirmed_at,
      version = notification_preferences.version + 1`,
  )
  world.tell(`user ${user.id.slice(-3)} settles ${JSON.stringify(settings)}`)
  world.journal.write({ kind: 'settings', userId: user.id, settings })
}
